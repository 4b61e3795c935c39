import { asBoolean, asNumber, type Json } from "./guards.ts";

/**
 * A volunteer's measurements of itself, sent with a request for work so that its tickets suit it. Absent where
 * nothing was measured yet. A wish, not a proof: what is credited is counted from tickets.
 */
export interface Pace {
  /** Tokens trained a second, rests included. */
  readonly speed?: number;
  /** Bytes sent a second, an upload's latency included. */
  readonly uplink?: number;
  /** Bytes received a second. */
  readonly downlink?: number;
  /** Bytes that came from the run's mirror since the last request for work: the operator sees their sum. */
  readonly mirrored?: number;
}

/** Tokens or bytes a second, or bytes from a mirror: faster than any machine or link. A higher figure counts as this. */
const MAX_PACE = 1e12;

/** Reads a request for work. Throws `bad-request` on what is no number above 0. */
export function parsePace(json: Json): Pace {
  const rate = (name: keyof Pace) => {
    const value = json[name];
    if (value === undefined) return {};
    return { [name]: Math.min(MAX_PACE, asNumber(value, name, Number.MIN_VALUE, Number.MAX_VALUE)) };
  };
  return { ...rate("speed"), ...rate("uplink"), ...rate("downlink"), ...rate("mirrored") };
}

/** Whether a request for work says that its sender makes audits too (rule AU5). Throws `bad-request`. */
export const takesAudits = (json: Json): boolean =>
  json.audits !== undefined && asBoolean(json.audits, "audits");
