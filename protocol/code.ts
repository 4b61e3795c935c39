import { ProtocolError } from "./errors.ts";
import { as, type Json } from "./guards.ts";
import { isPeerId, type PeerId } from "./ids.ts";
import { flag, id, integer, message, orNull } from "./schema.ts";

/**
 * A box at the server in which two open pages of one person meet (rule U6). One page opens it and shows a code, the other
 * knocks with what it made of the code, and the first hands over a key that only the other can read. The server sees the
 * box's name, which says nothing of the code, and two notes.
 */
export type CodeRequest =
  /** Opens the box. */
  | { readonly box: PeerId; readonly open: true }
  /** Asks what came of it. */
  | { readonly box: PeerId; readonly look: true }
  /** Knocks, or asks again for what is handed over. */
  | { readonly box: PeerId; readonly knock: Note }
  /** Hands over, once. */
  | { readonly box: PeerId; readonly hand: Note };

/** Base64url and dots; what is in it is the two pages' own. */
export type Note = string;

/** Milliseconds that a code is good for. */
export const CODE_MS = 120_000;
/** Characters of a note: two public keys, or a key sealed. */
export const MAX_NOTE = 512;
/** Bytes of a request. */
export const MAX_CODE_BYTES = 1_024;

const NOTE = /^[A-Za-z0-9_.-]+$/;
const isNote = (value: unknown): value is Note =>
  typeof value === "string" && value.length <= MAX_NOTE && NOTE.test(value);

/** Throws `bad-request`. */
export function parseCodeRequest(json: Json): CodeRequest {
  const box = as(isPeerId, json.box, "box");
  if (json.knock !== undefined) return { box, knock: as(isNote, json.knock, "knock") };
  if (json.hand !== undefined) return { box, hand: as(isNote, json.hand, "hand") };
  if (json.open === true) return { box, open: true };
  if (json.look === true) return { box, look: true };
  throw new ProtocolError("bad-request", "a box is opened, knocked at, or handed something");
}

/** Throws `bad-request`. */
export const parseCodeAnswer = message({
  /** Milliseconds until the box is gone. */
  left: integer(0, CODE_MS),
  /** To the page that opened it: the knock, once there is one. */
  knock: orNull(id(isNote)),
  /** To the page that knocked: what was handed over. It is in one answer alone. */
  hand: orNull(id(isNote)),
  /** Whether that answer was given. */
  taken: flag,
});
/** The answer. */
export type CodeAnswer = ReturnType<typeof parseCodeAnswer>;
