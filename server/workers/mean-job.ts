import { utf8 } from "../../protocol/bytes.ts";
import { asArray, asInteger, asNumber, parseJson } from "../../protocol/guards.ts";
import { MAX_PARAMETERS } from "../../protocol/limits.ts";
import type { MeanOrder } from "../merge/means.ts";
import { PIECE } from "../merge/step.ts";

/** Deltas of a version. */
const MAX_FRAMES = 65_536;

/** A part of a version's mean, as one message. */
export const encodeMean = (order: MeanOrder): Uint8Array<ArrayBuffer> => utf8(JSON.stringify(order));

/** Throws `bad-json` or `bad-request`: also for a part that is none of a vector of this many values. */
export function decodeMean(message: Uint8Array<ArrayBuffer>, parameters: number): MeanOrder {
  const { records, shares, from, to } = parseJson(message);
  const sequences = asArray(records, "records", MAX_FRAMES);
  const parts = asArray(shares, "shares", MAX_FRAMES);
  asInteger(parts.length, "shares.length", sequences.length, sequences.length);
  const end = asInteger(to, "to", 1, Math.min(parameters, MAX_PARAMETERS));
  const begin = asInteger(from, "from", 0, end - 1);
  asInteger(begin % PIECE, "from's place", 0, 0);
  if (end !== parameters) asInteger(end % PIECE, "to's place", 0, 0);
  return {
    records: sequences.map((one) => asInteger(one, "a record", 0, Number.MAX_SAFE_INTEGER)),
    shares: parts.map((one) => asNumber(one, "a share", 0, 1)),
    from: begin,
    to: end,
  };
}
