import { isRetryable, ProtocolError } from "../../protocol/errors.ts";
import { sha256 } from "../../protocol/identity.ts";
import { verifyReceipt } from "../../protocol/receipt.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { WrongBytes } from "../transport/away.ts";
import type { RoundDeps } from "./deps.ts";
import type { Phase } from "./messages.ts";
import { RetryPolicy } from "./retry-policy.ts";

/** An upload's outcome: accepted, refused for a reason, or unknown. */
export type Answer = "taken" | ProtocolError | "unknown";

/**
 * Sends one upload until it has an answer or the deadline passes by our clock, always the same bytes: the
 * server knows a ticket's upload again and gives the same receipt, so a lost answer costs nothing (rule D3).
 * `say` hears where it is.
 */
export async function sendUntil(
  deps: Pick<
    RoundDeps,
    "api" | "identity" | "manifest" | "control" | "clock" | "sleep" | "random" | "throughput"
  >,
  ticket: Ticket,
  body: Uint8Array<ArrayBuffer>,
  frame: Uint8Array<ArrayBuffer>,
  deadline: number,
  say: (phase: Phase) => void,
): Promise<Answer> {
  const { api, identity, manifest, control, clock, sleep, random, throughput } = deps;
  const { signal } = control;
  const delta = await sha256(frame);
  const retry = new RetryPolicy(random);
  for (;;) {
    say({ phase: "sending", bytes: body.length });
    const begun = clock();
    let failure: unknown = new WrongBytes("a receipt for something else");
    try {
      const receipt = await api.upload(identity, ticket.id, body, { signal });
      if (
        receipt.ticket === ticket.id &&
        receipt.delta === delta &&
        (await verifyReceipt(manifest.server, receipt))
      ) {
        throughput.sent(body.length, clock() - begun);
        return "taken";
      }
    } catch (error) {
      if (error instanceof ProtocolError && !isRetryable(error.code, "same")) return error;
      failure = error;
    }
    const { ms, why } = retry.after(failure, "same");
    if (clock() + ms >= deadline) return "unknown";
    say({ phase: "away", forMs: ms, ...(why && { why }) });
    await sleep(ms, signal);
    await control.checkpoint();
  }
}
