import { ProtocolError } from "./errors.ts";
import { asText } from "./guards.ts";

/**
 * Controls, formats (bidirectional overrides, zero-width joiners), unassigned, private use and lone surrogates; what Unicode
 * says to show nothing for, fillers that count as letters among it; and the blank pattern of Braille.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/u;
/** More marks on one letter than any language needs, as in text that climbs out of its line. */
const PILED = /\p{M}{3}/u;

/** `given` as one line: Unicode's composed form, blanks single and none at the ends. Throws `bad-request` for no text. */
export function asLine(given: unknown, field: string, most: number): string {
  return asText(given, field, most)
    .normalize("NFC")
    .replace(/[\ufe0e\ufe0f]/g, "") // say only whether an emoji is in colour
    .replace(/\p{White_Space}+/gu, " ")
    .trim();
}

/** Whether a reader sees every character of a line, and each in its own place. */
export const isSeen = (line: string): boolean => !UNSEEN.test(line) && !PILED.test(line);

/** Throws `bad-request`. */
export function refuseText(field: string, why: string): never {
  throw new ProtocolError("bad-request", `${field} ${why}`);
}
