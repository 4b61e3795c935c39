import { asArray, asBoolean, asNumber, type Json } from "./guards.ts";

/**
 * A volunteer's measurements of itself, sent with a request for work so that its tickets suit it. Absent where
 * nothing was measured yet. A wish, not a proof: what is credited is counted from tickets.
 */
export interface Pace {
  /** Tokens trained a second, rests included. */
  readonly speed?: number;
  /** The same without rests at the first of {@link PACE_BATCHES}, in their order, as far as it was measured. */
  readonly speeds?: readonly number[];
  /** Bytes sent a second, an upload's latency included. */
  readonly uplink?: number;
  /** Bytes received a second. */
  readonly downlink?: number;
  /** Bytes that came from the run's mirror since the last request for work: the operator sees their sum. */
  readonly mirrored?: number;
}

/** Sequences a step that a volunteer may measure its speed at. */
export const PACE_BATCHES = [1, 2, 4, 8, 16] as const;

/** Tokens or bytes a second, or bytes from a mirror: faster than any machine or link. A higher figure counts as this. */
const MAX_PACE = 1e12;

/** Reads a request for work. Throws `bad-request` on what is no number above 0, and on more speeds than may be. */
export function parsePace(json: Json): Pace {
  const bounded = (value: unknown, name: string) =>
    Math.min(MAX_PACE, asNumber(value, name, Number.MIN_VALUE, Number.MAX_VALUE));
  const rate = (name: "speed" | "uplink" | "downlink" | "mirrored") =>
    json[name] === undefined ? {} : { [name]: bounded(json[name], name) };
  return {
    ...{ ...rate("speed"), ...rate("uplink"), ...rate("downlink"), ...rate("mirrored") },
    ...(json.speeds !== undefined && {
      speeds: asArray(json.speeds, "speeds", PACE_BATCHES.length).map((speed) => bounded(speed, "speeds[]")),
    }),
  };
}

/** Whether a request for work says that its sender makes audits too (rule AU5). Throws `bad-request`. */
export const takesAudits = (json: Json): boolean =>
  json.audits !== undefined && asBoolean(json.audits, "audits");
