/**
 * One way to write a vector of f32 as bytes (rules C1 to C5). A codec is pure and deterministic: replicas
 * that decode the same bytes hold the same floats, to the bit. Error feedback is the caller's: the residual
 * is what went in minus what {@link Codec.decode} gives back.
 */
export interface Codec {
  readonly name: CodecName;
  /** The codec's number in a frame's header. Never reused. */
  readonly id: number;
  /** Bytes of the payload for `length` values: fixed, or the most it can be. */
  maxPayload(length: number): number;
  /** Writes `values`; all must be finite (throws `not-finite`). */
  encode(values: Float32Array): Uint8Array<ArrayBuffer>;
  /**
   * Reads exactly `length` values into a new vector. Throws `wrong-shape` when the payload's size does not fit
   * `length`, `not-finite` or `bad-frame` when its content is not what an encoder writes.
   */
  decode(payload: Uint8Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer>;
}

export type CodecName = "f32" | "dense4";

/**
 * What a manifest says of the deltas it wants: `dense` takes `bits` a value in blocks of 64; `topk` the `k` largest
 * of each `chunk` values (a power of two up to 4096), `bits` each.
 */
export type CodecSpec =
  | { readonly name: "f32" }
  | { readonly name: "dense"; readonly bits: 2 | 4 | 8 }
  | {
      readonly name: "topk";
      readonly chunk: number;
      readonly k: number;
      readonly bits: 2 | 4 | 8;
    };
