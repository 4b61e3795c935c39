import { ProtocolError } from "./errors.ts";
import { as, asBoolean, asInteger, type Json } from "./guards.ts";
import { isPeerId, type PeerId } from "./ids.ts";

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

/** The answer. */
export interface CodeAnswer {
  /** Milliseconds until the box is gone. */
  readonly left: number;
  /** To who opened it: the knock, once there is one. */
  readonly knock: Note | null;
  /** To who knocked: what was handed over. It is in one answer alone. */
  readonly hand: Note | null;
  /** Whether that answer was given. */
  readonly taken: boolean;
}

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
export function parseCodeAnswer(json: Json): CodeAnswer {
  const note = (value: unknown, field: string) => (value === null ? null : as(isNote, value, field));
  return {
    left: asInteger(json.left, "left", 0, CODE_MS),
    knock: note(json.knock, "knock"),
    hand: note(json.hand, "hand"),
    taken: asBoolean(json.taken, "taken"),
  };
}
