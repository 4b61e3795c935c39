import type { Json } from "./guards.ts";
import { type Hash, isPersonId, type PersonId, type TicketId, type VolunteerKey } from "./ids.ts";
import type { Together } from "./link.ts";
import { count, id, list, message, object, oneOf, optional } from "./schema.ts";
import type { VolunteerCredit } from "./status.ts";
import { asLine, isSeen, refuseText } from "./text.ts";

/** The answer of `POST /api/me/data`: everything that the server holds about a key, readable as it is. */
export interface PersonalData {
  readonly volunteer: VolunteerKey;
  readonly name: string | null;
  /** Of its page (rule U7). */
  readonly page: PersonId | null;
  /** The name of its team (rule U8). */
  readonly team: string | null;
  readonly credit: VolunteerCredit;
  /** Other keys that it is linked with (rule U5), and what they gave with it. */
  readonly linked: readonly VolunteerKey[];
  readonly together: Together;
  /** Newest first; `accepted` is milliseconds of the run clock. */
  readonly deltas: readonly {
    readonly ticket: TicketId;
    readonly delta: Hash;
    readonly version: number;
    readonly tokens: number;
    readonly accepted: number;
    /** The version it is merged into; null where it was discarded, absent before its end. */
    readonly merged?: number | null;
    /** Tokens that it counted for there, where they are fewer than its own. */
    readonly counted?: number;
    /** The newest audit of it; absent where none has looked. */
    readonly audit?: AuditedAs;
  }[];
  /** Kept in memory since the server started: kinds of device and browser. */
  readonly seen: Readonly<Record<string, string>> | null;
  /** Anything else, in words. */
  readonly notes: readonly string[];
}

/** Characters of a name, as a person counts them at least. */
export const MAX_NAME_CHARS = 32;
/** Symbols that fonts draw as nothing: a note without a head, and the place of an object that is not there. */
const BLANK = /[\u{1d159}\ufffc]/u;
/** Leaders listed at most. */
export const MAX_LEADERS = 50;

/**
 * A name as it is kept and shown: Unicode's composed form, blanks single and none at the ends. Throws
 * `bad-request` for one that is empty, too long, with something unseen in it, or without a letter or digit.
 */
export function normaliseName(given: unknown): string {
  const field = "the name";
  const name = asLine(given, field, 4 * MAX_NAME_CHARS);
  if (name === "") refuseText(field, "is empty");
  if ([...name].length > MAX_NAME_CHARS) refuseText(field, `has more than ${MAX_NAME_CHARS} characters`);
  if (!isSeen(name) || BLANK.test(name)) refuseText(field, "has characters that cannot be shown in a line");
  if (/^\p{M}/u.test(name)) refuseText(field, "begins with a mark that belongs to the letter before it");
  if (!/[\p{L}\p{N}]/u.test(name)) refuseText(field, "has neither a letter nor a digit");
  return name;
}

/** Reads what an audit found. Throws `bad-request`. */
export const parseAudit = message({
  verdict: oneOf("good", "bad", "unclear"),
  reason: oneOf("gain", "no-gain", "harm", "copy", "recomputed", "mismatch"),
});
/** An audit's verdict on a delta (rules AU1 and AU4). */
export type AuditedAs = ReturnType<typeof parseAudit>;

const leaders = message({
  leaders: list(
    object({
      name: normaliseName,
      /** Merged tokens, in all and of the last 24 hours of the run clock. */
      tokens: count,
      recent: count,
      /** Of its page, where it has one (rule U7). */
      page: optional(id(isPersonId)),
    }),
    MAX_LEADERS,
  ),
});
/** Volunteers' names (rules U1 to U4). Nobody has one unless they ask for it. */
export type Leader = ReturnType<typeof leaders>["leaders"][number];

/** Reads `GET /api/leaders`. Throws `bad-request`. */
export const parseLeaders = (json: Json): readonly Leader[] => leaders(json).leaders;
