import type { CodecSpec } from "../protocol/codec/codec.ts";
import { ModelError } from "./config.ts";

/**
 * Makes a ticket's payload where no device does: what protocol/codec's encoders write, to the byte (a test holds
 * them to each other), and at the same time the residual. Every number is exact: code × scale has at most 16
 * significant bits, so what quantising leaves out is the same on each machine.
 */
export function extractFrom(total: Float32Array, codec: CodecSpec): Uint8Array<ArrayBuffer> {
  requireFinite(total);
  switch (codec.name) {
    case "f32": {
      const payload = new Uint8Array(total.slice().buffer);
      total.fill(0);
      return payload;
    }
    case "dense":
      return dense(total, codec.bits);
    case "topk":
      return topK(total, codec);
  }
}

/** Bytes of a payload of `length` values. */
export function payloadBytes(codec: CodecSpec, length: number): number {
  const bytes = (count: number, bits: number) => Math.ceil((count * bits) / 8);
  switch (codec.name) {
    case "f32":
      return 4 * length;
    case "dense":
      return 2 * Math.ceil(length / BLOCK) + bytes(length, codec.bits);
    case "topk": {
      const entries = entriesOf(codec, length);
      const scales = 2 * Math.ceil(length / codec.chunk);
      return TOPK_HEADER + scales + bytes(entries, indexBits(codec)) + bytes(entries, codec.bits);
    }
  }
}

/** total ← (loaded − trained) + residual, one rounding an operation: what {@link extractFrom} then takes apart. */
export function addDelta(total: Float32Array, loaded: Float32Array, trained: Float32Array): void {
  for (let i = 0; i < total.length; i++) total[i]! += Math.fround(loaded[i]! - trained[i]!);
}

/** residual ← factor·residual + plus. A factor of 0 forgets it. */
export function adjust(residual: Float32Array, factor: number, plus?: Float32Array): void {
  const single = Math.fround(factor);
  if (single === 0) residual.fill(0);
  else for (let i = 0; i < residual.length; i++) residual[i]! *= single;
  if (plus) for (let i = 0; i < residual.length; i++) residual[i]! += plus[i]!;
}

/** Values that share a scale in a dense payload. */
export const BLOCK = 64;
export const TOPK_HEADER = 8;
/** Scales below this are written as zero, far above the denormals that some GPUs flush. */
const SMALLEST_SCALE = 2 ** -100;
/** The largest finite bf16. */
export const LARGEST_SCALE_BITS = 0x7f7f;

export type TopK = Extract<CodecSpec, { name: "topk" }>;

/** The largest code of so many bits. */
export const largestCode = (bits: number): number => 2 ** (bits - 1) - 1;
export const indexBits = ({ chunk }: TopK): number => Math.round(Math.log2(chunk));
/** Entries of all chunks; the last one may be shorter than `k`. */
export const entriesOf = ({ chunk, k }: TopK, length: number): number =>
  Math.floor(length / chunk) * k + Math.min(k, length % chunk);

function dense(total: Float32Array, bits: number): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(payloadBytes({ name: "dense", bits: bits as 2 | 4 | 8 }, total.length));
  const blocks = Math.ceil(total.length / BLOCK);
  const codes = payload.subarray(2 * blocks);
  const perByte = 8 / bits;
  for (let block = 0; block < blocks; block++) {
    const from = block * BLOCK;
    const end = Math.min(from + BLOCK, total.length);
    let largest = 0;
    for (let i = from; i < end; i++) largest = Math.max(largest, Math.abs(total[i]!));
    const scale = writeScale(payload, 2 * block, largest, bits);
    if (scale === 0) continue;
    for (let i = from; i < end; i++) {
      const code = codeOf(total[i]!, scale, bits);
      total[i]! -= code * scale;
      codes[Math.floor(i / perByte)]! |= (code & (2 ** bits - 1)) << ((i % perByte) * bits);
    }
  }
  return payload;
}

function topK(total: Float32Array, codec: TopK): Uint8Array<ArrayBuffer> {
  const { chunk, k, bits } = codec;
  const payload = new Uint8Array(payloadBytes(codec, total.length));
  const header = new DataView(payload.buffer);
  header.setUint16(0, chunk, true);
  header.setUint16(2, k, true);
  header.setUint8(4, bits);
  const chunks = Math.ceil(total.length / chunk);
  const indices = new Bits(payload.subarray(TOPK_HEADER + 2 * chunks), indexBits(codec));
  const codes = new Bits(indices.after(entriesOf(codec, total.length)), bits);
  for (let i = 0; i < chunks; i++) {
    const part = total.subarray(i * chunk, (i + 1) * chunk);
    const chosen = largestOf(part, k);
    const largest = chosen.reduce((most, at) => Math.max(most, Math.abs(part[at]!)), 0);
    const scale = writeScale(payload, TOPK_HEADER + 2 * i, largest, bits);
    for (const at of chosen) {
      const code = scale === 0 ? 0 : codeOf(part[at]!, scale, bits);
      part[at]! -= code * scale;
      indices.push(at);
      codes.push(code & (2 ** bits - 1));
    }
  }
  return payload;
}

/** The places of the `k` largest magnitudes, ascending; of equal ones the first. */
function largestOf(part: Float32Array, k: number): number[] {
  if (k >= part.length) return [...part.keys()];
  const sizes = part.map(Math.abs);
  const threshold = sizes.slice().sort()[part.length - k]!;
  let equal = k;
  for (const size of sizes) if (size > threshold) equal--;
  const chosen: number[] = [];
  sizes.forEach((size, at) => {
    if (size > threshold || (size === threshold && equal-- > 0)) chosen.push(at);
  });
  return chosen;
}

const word = new Uint32Array(1);
const single = new Float32Array(word.buffer);

/** Writes the smallest bf16 b with b × (largest code) ≥ `largest`, or zero for what is too small; returns it. */
function writeScale(payload: Uint8Array, at: number, largest: number, bits: number): number {
  const most = largestCode(bits);
  if (largest < most * SMALLEST_SCALE) return 0;
  single[0] = largest / most;
  let high = (word[0]! + 0xffff) >>> 16;
  word[0] = high << 16;
  if (single[0] * most < largest) high++; // the quotient was rounded down onto a bf16
  high = Math.min(high, LARGEST_SCALE_BITS);
  payload[at] = high & 0xff;
  payload[at + 1] = high >>> 8;
  word[0] = high << 16;
  return single[0];
}

/** The nearest code; halves go up. */
function codeOf(value: number, scale: number, bits: number): number {
  const most = largestCode(bits);
  return Math.max(-most, Math.min(most, Math.round(value / scale)));
}

/** Writes integers of `width` bits one after another, low bits first. */
class Bits {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #width: number;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, width: number) {
    this.#bytes = bytes;
    this.#width = width;
  }

  push(value: number): void {
    for (let bit = 0; bit < this.#width; bit++, this.#at++)
      this.#bytes[this.#at >> 3]! |= ((value >> bit) & 1) << (this.#at & 7);
  }

  /** What lies behind the bytes of `count` integers. */
  after(count: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(Math.ceil((count * this.#width) / 8));
  }
}

/** Throws `not-finite` on the first NaN or infinity. */
function requireFinite(values: Float32Array): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new ModelError("not-finite", `the change of weight ${i} is ${values[i]}`);
}
