import { asBoolean, asNumber, type Json } from "./guards.ts";
import { list, message, optional, type Reader } from "./schema.ts";

/** Sequences a step that a volunteer may measure its speed at. */
export const PACE_BATCHES = [1, 2, 4, 8, 16] as const;

/** Tokens or bytes a second, or bytes from a mirror: faster than any machine or link. A higher figure counts as this. */
const MAX_PACE = 1e12;

const bounded: Reader<number> = (value, field) =>
  Math.min(MAX_PACE, asNumber(value, field, Number.MIN_VALUE, Number.MAX_VALUE));

/** Reads a request for work. Throws `bad-request` on what is no number above 0, and on more speeds than may be. */
export const parsePace = message({
  /** Tokens trained a second, rests included. */
  speed: optional(bounded),
  /** Bytes sent a second, an upload's latency included. */
  uplink: optional(bounded),
  /** Bytes received a second. */
  downlink: optional(bounded),
  /** Bytes that came from the run's mirror since the last request for work: the operator sees their sum. */
  mirrored: optional(bounded),
  /** As `speed`, without rests, at the first of {@link PACE_BATCHES}, in their order, as far as it was measured. */
  speeds: optional(list(bounded, PACE_BATCHES.length)),
});
/**
 * A volunteer's measurements of itself, sent with a request for work so that its tickets suit it. Absent where
 * nothing was measured yet. A wish, not a proof: what is credited is counted from tickets.
 */
export type Pace = ReturnType<typeof parsePace>;

/** Whether a request for work says that its sender makes audits too (rule AU5). Throws `bad-request`. */
export const takesAudits = (json: Json): boolean =>
  json.audits !== undefined && asBoolean(json.audits, "audits");
