import { isVolunteerKey } from "./ids.ts";
import { normaliseName } from "./people.ts";
import { count, id, object, oneOf, orNull, record, text } from "./schema.ts";

export const STANDINGS = ["banned", "quarantined", "trusted", "new"] as const;

/** `trusted`: an audit found a delta of it good, and none bad since. */
export type Standing = (typeof STANDINGS)[number];

/** Volunteers listed at most. */
export const MAX_ENLISTED = 60;

/** Our own names of kinds, the empty text where nothing is known. */
const kind = text(20);

export const enlisted = object({
  volunteer: id(isVolunteerKey),
  /** The name it asked for, or null. */
  name: orNull(normaliseName),
  standing: oneOf(...STANDINGS),
  /** Milliseconds until something of a quarantined one is taken again; 0 for the others. */
  outMs: count,
  /** Deltas merged, and tokens of them. */
  merged: count,
  tokens: count,
  /** Other keys that are the same person's by its own word, and tokens of them all; 0 and `tokens` where there are none. */
  linked: count,
  together: count,
  /** Deltas accepted and then not merged: found bad by an audit, or overtaken. */
  discarded: count,
  /** Refusals since the server started, by error code. */
  refused: record(count),
  /** Since its last request; null where there was none since the server started. */
  seenMs: orNull(count),
  device: kind,
  browser: kind,
  backend: kind,
});
/** Single volunteers, for the operator: those seen last, those with refusals, and those kept out. */
export type Enlisted = ReturnType<typeof enlisted>;
