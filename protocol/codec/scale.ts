import { ProtocolError } from "../errors.ts";
import type { CodeBits } from "./codec.ts";

/**
 * Values that share a scale: a bf16 (the upper half of an f32), of which each is an integer code's multiple. bf16
 * has 8 significant bits and a code at most 7, so code × scale is exact in f32 and the same on every machine.
 */

/** Values that share a scale in a payload of blocks. */
export const BLOCK = 64;
/** Scales below 2⁻¹⁰⁰ are written as zero, far above the denormals that some GPUs flush. */
const MIN_SCALE = 2 ** -100;
/** The largest finite bf16. */
const MAX_SCALE_BITS = 0x7f7f;

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

/** The largest code of this many bits; the smallest is its negative. */
export const largestCode = (bits: CodeBits): number => 2 ** (bits - 1) - 1;

/**
 * Writes the smallest bf16 b with b × `most` (the largest code) ≥ `largest`, or zero for what is too small, as 2 bytes;
 * returns b. Devices find the same b: by whole numbers from the quotient's bits, then one exact comparison.
 */
export function writeScale(payload: Uint8Array, at: number, largest: number, most: number): number {
  if (largest < most * MIN_SCALE) return 0;
  single[0] = largest / most;
  let high = (word[0]! + 0xffff) >>> 16;
  word[0] = high << 16;
  if (single[0] * most < largest) high++; // the quotient was rounded down onto a bf16
  high = Math.min(high, MAX_SCALE_BITS);
  payload[at] = high & 0xff;
  payload[at + 1] = high >>> 8;
  word[0] = high << 16;
  return single[0];
}

/** The largest magnitude from `start` to `end`. */
export function largestOf(values: Float32Array, start: number, end: number): number {
  let largest = 0;
  for (let i = start; i < end; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest) largest = size;
  }
  return largest;
}

/** Reads what {@link writeScale} wrote. */
export function readScale(payload: Uint8Array, at: number): number {
  word[0] = (payload[at]! << 16) | (payload[at + 1]! << 24);
  return single[0]!;
}

/** {@link readScale}, of a stranger's bytes, whose codes go up to `most`. Throws `not-finite`: only a forger writes such a scale. */
export function checkScale(payload: Uint8Array, at: number, most: number): number {
  const scale = readScale(payload, at);
  if (payload[at + 1]! > 0x7f || !Number.isFinite(Math.fround(scale * most))) {
    throw new ProtocolError("not-finite", "a scale is negative, not finite, or overflows");
  }
  return scale;
}

/** The nearest code from −`most` to `most`; halves go up. */
export function codeOf(value: number, scale: number, most: number): number {
  return Math.max(-most, Math.min(most, Math.round(value / scale)));
}

/** Reads a code from its low `bits` bits. */
export const signed = (code: number, bits: CodeBits): number => (code << (32 - bits)) >> (32 - bits);

/** Throws `not-finite` on the first NaN or infinity. */
export function requireFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw new ProtocolError("not-finite", `value ${i} is ${values[i]}`);
  }
}

/** Throws `wrong-shape` where a payload has not the size its values need. */
export function requireBytes(payload: Uint8Array, bytes: number): void {
  if (payload.length !== bytes) {
    throw new ProtocolError("wrong-shape", `${payload.length} bytes of payload where ${bytes} are needed`);
  }
}

/** Of a block or chunk behind value `start`: a code that no encoder writes, and codes where a scale of zero allows none. */
export const forbidden = (start: number, most: number) =>
  new ProtocolError("bad-frame", `a code beyond ${most} behind value ${start}`);
export const unscaled = (start: number) =>
  new ProtocolError("bad-frame", `codes and no scale behind value ${start}`);
export const unpadded = () => new ProtocolError("bad-frame", "the padding is not zero");
