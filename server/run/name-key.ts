import { normaliseName } from "../../protocol/people.ts";
import { LOOKS } from "./confusables.ts";

/** Characters that are invisible or mere ornament: accents, blanks, punctuation, and what Unicode says to ignore. */
const UNSEEN = /[\p{M}\p{White_Space}\p{P}\p{Default_Ignorable_Code_Point}\u2800\u{1d159}\ufffc]/gu;

/**
 * By which two names are one, so that nobody passes for another: without case, width, accents or blanks, and with every
 * character as what it looks like (UTS #39), in whatever script it is. In lower case, zero and "o", one, "i" and "l",
 * and "rn" and "m" are one as well.
 */
export function nameKey(name: string): string {
  const plain = name.normalize("NFKD").replace(UNSEEN, "");
  const seen = Array.from(plain, (character) => LOOKS.get(character) ?? character).join("");
  return Array.from(seen.toLowerCase(), (character) => LOOKS.get(character) ?? character)
    .join("")
    .toLowerCase()
    .replaceAll("0", "o")
    .replace(/[1i|]/g, "l")
    .replaceAll("rn", "m");
}

/** Characters of a kept name: what is refused today may have been taken before. */
export const MAX_KEPT_CHARS = 256;

/** A kept name as it is shown; undefined for one of an earlier version that would be refused today. */
export function nameToday(kept: string): string | undefined {
  try {
    return normaliseName(kept);
  } catch {
    return undefined;
  }
}
