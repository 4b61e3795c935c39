import type { Manifest } from "../../protocol/manifest.ts";
import { packFrame, unpackFrame } from "../../protocol/packed-frame.ts";
import type { Ticket } from "../../protocol/ticket.ts";

/** The delta of a ticket as it is sent to who takes packed frames. */
export const packedFor = (
  { parameters, delta }: Pick<Manifest, "parameters" | "delta">,
  ticket: Pick<Ticket, "delta">,
  frame: Uint8Array<ArrayBuffer>,
) => packFrame(frame, parameters, ticket.delta ?? delta);

/** The delta that its receipt will name. What cannot be unpacked stays as it is: the server refuses it. */
export function unpackedFor(
  { parameters, delta }: Pick<Manifest, "parameters" | "delta">,
  ticket: Pick<Ticket, "delta">,
  sent: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  try {
    return unpackFrame(sent, parameters, ticket.delta ?? delta);
  } catch {
    return sent;
  }
}
