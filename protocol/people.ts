import { as, asArray, asInteger, asObject, type Json } from "./guards.ts";
import { type Hash, isPersonId, type PersonId, type TicketId, type VolunteerKey } from "./ids.ts";
import type { Together } from "./link.ts";
import type { VolunteerCredit } from "./status.ts";
import { asLine, isSeen, refuseText } from "./text.ts";

/**
 * Volunteers' names (rules U1 to U4). Nobody has one unless they ask for it.
 */
export interface Leader {
  readonly name: string;
  /** Merged tokens, in all and of the last 24 hours of the run clock. */
  readonly tokens: number;
  readonly recent: number;
  /** Of its page, where it has one (rule U7). */
  readonly page?: PersonId;
}

/** An audit's verdict on a delta (rules AU1 and AU4). */
export interface AuditedAs {
  readonly verdict: (typeof VERDICTS)[number];
  readonly reason: (typeof REASONS)[number];
}

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
 * `bad-request` for what is none: empty, too long, with something unseen in it, or without a letter or digit.
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

const VERDICTS = ["good", "bad", "unclear"] as const;
const REASONS = ["gain", "no-gain", "harm", "copy", "recomputed", "mismatch"] as const;
const isVerdict = (value: unknown): value is AuditedAs["verdict"] => VERDICTS.some((one) => one === value);
const isReason = (value: unknown): value is AuditedAs["reason"] => REASONS.some((one) => one === value);

/** Reads what an audit found. Throws `bad-request`. */
export const parseAudit = (json: Json): AuditedAs => ({
  verdict: as(isVerdict, json.verdict, "verdict"),
  reason: as(isReason, json.reason, "reason"),
});

/** Reads `GET /api/leaders`. Throws `bad-request`. */
export function parseLeaders(json: Json): readonly Leader[] {
  return asArray(json.leaders, "leaders", MAX_LEADERS).map((value, i) => {
    const one = asObject(value, `leaders[${i}]`);
    return {
      name: normaliseName(one.name),
      tokens: asInteger(one.tokens, "tokens", 0, Number.MAX_SAFE_INTEGER),
      recent: asInteger(one.recent, "recent", 0, Number.MAX_SAFE_INTEGER),
      ...(one.page !== undefined && { page: as(isPersonId, one.page, "page") }),
    };
  });
}
