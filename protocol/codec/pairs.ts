import { ProtocolError } from "../errors.ts";
import { checkScale, forbidden, readScale, signed, unscaled } from "./scale.ts";

/**
 * Top-k with places of 12 bits and codes of 4, the codec of large runs: two entries are three bytes of places and one
 * of codes. An even number of them a chunk begins and ends at whole bytes, so they are read pair by pair, ten times as
 * fast as bit by bit. The same bytes, the same refusals.
 */
export const PLACE_BITS = 12;
export const CODE_BITS = 4;

/** Where the sections of a payload, or of a part of it, begin. */
export interface Sections {
  readonly scales: number;
  readonly places: number;
  readonly codes: number;
}

/** The values from `from` to `to` of a vector; whole chunks, except its last. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const MAX_CODE = 7;
/** Sum of the squares of a chunk's codes that no chunk reaches. */
const FORBIDDEN = 2 ** 20;

/** For each byte the sum of its two codes' squares; {@link FORBIDDEN} where one of them is no encoder's. */
const SQUARES = Uint32Array.from({ length: 256 }, (_, byte) => {
  const [low, high] = [signed(byte, CODE_BITS), signed(byte >>> CODE_BITS, CODE_BITS)];
  return low < -MAX_CODE || high < -MAX_CODE ? FORBIDDEN : low * low + high * high;
});

/**
 * Holds the chunks of `span` against what an encoder writes; `k`, even, is that of each of them. Returns the sum of
 * the squares of their values. Throws `bad-frame` or `not-finite`.
 */
export function checkPairs(
  payload: Uint8Array,
  { scales, places, codes }: Sections,
  chunk: number,
  k: number,
  { from, to }: Span,
): number {
  let squares = 0;
  let [scaleAt, placeAt, codeAt] = [scales, places, codes];
  for (let start = from; start < to; start += chunk, scaleAt += 2) {
    const scale = checkScale(payload, scaleAt, MAX_CODE);
    let sum = 0;
    let last = -1;
    let ascending = true;
    for (const end = codeAt + k / 2; codeAt < end; codeAt++, placeAt += 3) {
      const middle = payload[placeAt + 1]!;
      const one = payload[placeAt]! | ((middle & 15) << 8);
      const two = (middle >>> 4) | (payload[placeAt + 2]! << 4);
      ascending = ascending && one > last && two > one;
      last = two;
      sum += SQUARES[payload[codeAt]!]!;
    }
    if (!ascending || last >= chunk) throw misplaced(start);
    if (sum >= FORBIDDEN) throw forbidden(start, MAX_CODE);
    if (scale === 0 && sum > 0) throw unscaled(start);
    squares += sum * scale * scale;
  }
  return squares;
}

/** Each code's value, computed once a chunk. */
const products = new Float32Array(16);

/** sum[i] ← sum[i] + share × value for the whole chunks of `span`, product and sum each rounded to f32. */
export function addPairs(
  payload: Uint8Array,
  { scales, places, codes }: Sections,
  chunk: number,
  k: number,
  sum: Float32Array,
  share: number,
  { from, to }: Span,
): void {
  let [scaleAt, placeAt, codeAt] = [scales, places, codes];
  for (let start = from; start < to; start += chunk, scaleAt += 2) {
    const scale = readScale(payload, scaleAt);
    for (let code = 1; code <= MAX_CODE; code++) {
      const product = share * Math.fround(code * scale);
      products[code] = product;
      products[16 - code] = -product;
    }
    for (const end = codeAt + k / 2; codeAt < end; codeAt++, placeAt += 3) {
      const middle = payload[placeAt + 1]!;
      const one = start + (payload[placeAt]! | ((middle & 15) << 8));
      const two = start + ((middle >>> 4) | (payload[placeAt + 2]! << 4));
      const pair = payload[codeAt]!;
      sum[one] = sum[one]! + products[pair & 15]!;
      sum[two] = sum[two]! + products[pair >>> 4]!;
    }
  }
}

export const misplaced = (start: number) =>
  new ProtocolError("bad-frame", `a place behind value ${start} comes twice, out of order, or lies beyond`);
