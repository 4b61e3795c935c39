import { toBase64Url } from "../../protocol/bytes.ts";
import { as } from "../../protocol/guards.ts";
import { isTicketId, type TicketId } from "../../protocol/ids.ts";
import type { RunOptions } from "./options.ts";

/** Bytes of a ticket's id, which is its nonce, and of an audit's. */
const ID_BYTES = 16;

/** Draws numbers nobody can guess, in [0, 2³²). */
export const numbersFrom = (random: RunOptions["random"]) => (): number => {
  const { buffer, byteOffset } = random(4);
  return new DataView(buffer, byteOffset).getUint32(0, true);
};

/** An id nobody can guess, of a ticket or an audit. */
export const drawId = (random: RunOptions["random"]): TicketId =>
  as(isTicketId, toBase64Url(random(ID_BYTES)), "ticket");
