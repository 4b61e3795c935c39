import type { Codec, CodecSpec } from "./codec/codec.ts";
import { codecOf, decodeFrame, frameOf } from "./frame.ts";

/** A codec's way from values, or from a trainer's payload, to what a receiver decodes of them. */
export interface RoundTrip {
  readonly codec: Codec;
  /** Throws `not-finite`. */
  ofValues(values: Float32Array): Float32Array<ArrayBuffer>;
  ofPayload(payload: Uint8Array): Float32Array<ArrayBuffer>;
}

/** The round trip of vectors of `length` values. */
export function roundTripOf(spec: CodecSpec, length: number): RoundTrip {
  const codec = codecOf(spec);
  const ofPayload = (payload: Uint8Array) => decodeFrame(frameOf(spec, length, payload), length);
  return { codec, ofPayload, ofValues: (values) => ofPayload(codec.encode(values)) };
}
