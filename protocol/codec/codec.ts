import { ProtocolError } from "../errors.ts";
import { asInteger, asObject } from "../guards.ts";

/**
 * One way to write a vector of f32 as bytes (rules C1 to C6). A codec is pure and deterministic: replicas that decode
 * the same bytes hold the same floats, to the bit. Error feedback is the caller's: {@link Codec.encode} tells what
 * it left out.
 */
export interface Codec {
  readonly spec: CodecSpec;
  /** Bytes of the payload of `length` values: always as many. */
  payloadBytes(length: number): number;
  /**
   * Writes `values`; all must be finite (throws `not-finite`). What the payload leaves out is written to `left`,
   * which may be `values` itself.
   */
  encode(values: Float32Array, left?: Float32Array): Uint8Array<ArrayBuffer>;
  /**
   * Holds a payload of `length` values against what an encoder writes, allocating nothing, and returns the sum of
   * the squares of its values. Throws `wrong-shape` on its size, `not-finite` or `bad-frame` on its content.
   */
  check(payload: Uint8Array, length: number): number;
  /**
   * sum[i] ← sum[i] + share × value, product and sum each rounded to f32, allocating nothing. For payloads that
   * passed {@link check}. Only the values from `from` (a multiple of {@link STRETCH}, 0 if absent) to `to`, for who
   * adds many payloads and wants the sum's stretch to stay in a processor's cache meanwhile.
   */
  add(payload: Uint8Array, sum: Float32Array, share: number, from?: number, to?: number): void;
}

/** Values after which every codec's payload can be entered: at least eight chunks of any top-k, so whole bytes. */
export const STRETCH = 32_768;

/**
 * A run's codec for its deltas or diffs: `dense` and `midrise` take `bits` a value in blocks of 64; `topk` the `k` largest
 * of each `chunk` values (a power of two), `bits` each.
 */
export type CodecSpec =
  | { readonly name: "f32" }
  | { readonly name: "dense"; readonly bits: CodeBits }
  | { readonly name: "midrise"; readonly bits: MidriseBits }
  | { readonly name: "topk"; readonly chunk: number; readonly k: number; readonly bits: CodeBits };

export type CodeBits = 2 | 4 | 8;
export type MidriseBits = 1 | 2 | 3;

export const F32: CodecSpec = { name: "f32" };
export const DENSE2: CodecSpec = { name: "dense", bits: 2 };
export const DENSE4: CodecSpec = { name: "dense", bits: 4 };
export const MIDRISE1: CodecSpec = { name: "midrise", bits: 1 };
export const MIDRISE2: CodecSpec = { name: "midrise", bits: 2 };
export const MIDRISE3: CodecSpec = { name: "midrise", bits: 3 };

/** Values in a chunk of `topk`: small enough for a device to sort on its own, large enough for few scales. */
export const MIN_CHUNK = 64;
export const MAX_CHUNK = 4096;

export const isCodeBits = (value: unknown): value is CodeBits => value === 2 || value === 4 || value === 8;
const isMidriseBits = (bits: number): bits is MidriseBits => bits >= 1 && bits <= 3;
export const isChunk = (value: number): boolean =>
  value >= MIN_CHUNK && value <= MAX_CHUNK && (value & (value - 1)) === 0;

/** Reads a codec's description from JSON. Throws `bad-request`. */
export function parseCodec(value: unknown, field: string): CodecSpec {
  const json = asObject(value, field);
  if (json.name === "f32") return { name: "f32" };
  const bits = asInteger(json.bits, `${field}.bits`, 1, 8);
  if (json.name === "midrise" && isMidriseBits(bits)) return { name: "midrise", bits };
  if (isCodeBits(bits)) {
    if (json.name === "dense") return { name: "dense", bits };
    if (json.name === "topk") {
      const chunk = asInteger(json.chunk, `${field}.chunk`, MIN_CHUNK, MAX_CHUNK);
      const k = asInteger(json.k, `${field}.k`, 1, chunk);
      if (isChunk(chunk)) return { name: "topk", chunk, k, bits };
    }
  }
  throw new ProtocolError("bad-request", `${field} is no codec that is known here: see rule C6`);
}

/** Whether two descriptions mean the same bytes. */
export function sameCodec(a: CodecSpec, b: CodecSpec): boolean {
  if (a.name === "topk") {
    return b.name === "topk" && a.chunk === b.chunk && a.k === b.k && a.bits === b.bits;
  }
  return a.name === b.name && (a.name === "f32" || ("bits" in b && a.bits === b.bits));
}
