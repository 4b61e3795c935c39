import { Random } from "../model/lib/random.ts";
import type { CodecSpec } from "../protocol/codec/codec.ts";

/** Every codec that sends all values. */
export const WHOLE_CODECS: readonly CodecSpec[] = [
  { name: "f32" },
  { name: "dense", bits: 2 },
  { name: "dense", bits: 4 },
  { name: "dense", bits: 8 },
  { name: "midrise", bits: 1 },
  { name: "midrise", bits: 2 },
  { name: "midrise", bits: 3 },
];

/** Every kind of payload: each width of codes, chunks that divide and that do not, all of a chunk. */
export const CODECS: readonly CodecSpec[] = [
  ...WHOLE_CODECS,
  { name: "topk", chunk: 64, k: 1, bits: 2 },
  { name: "topk", chunk: 64, k: 64, bits: 8 },
  { name: "topk", chunk: 512, k: 37, bits: 4 },
  { name: "topk", chunk: 4096, k: 128, bits: 2 },
];

export const nameOfCodec = (codec: CodecSpec): string => Object.values(codec).join(" ");

/**
 * Vectors that find a rounding out: gradients of all sizes; codes that lie on halves of either sign, and one bit
 * beside; equal magnitudes; blocks of zeros, of what is too small for a scale, and of what is as large as a payload can hold.
 */
export function totals(length: number): Record<string, Float32Array<ArrayBuffer>> {
  const random = new Random(length);
  const fill = (value: (i: number) => number) => Float32Array.from({ length }, (_, i) => value(i));
  const bit = new Uint32Array(1);
  const float = new Float32Array(bit.buffer);
  const beside = (value: number, by: number) => {
    float[0] = value;
    if (value !== 0) bit[0]! += by;
    return float[0]!;
  };
  const unit = () => random.unit() * 2 - 1;
  return {
    deltas: fill(() => unit() ** 3 * 1e-2),
    "of all sizes": fill(() => unit() * 2 ** (random.below(60) - 50)),
    halves: fill(
      (i) => (i % 64 === 0 ? 7 : beside((random.below(29) - 14) / 2, random.below(3) - 1)) * 0.375,
    ),
    "scales on a step": fill((i) => beside((i % 64 === 0 ? 127 : unit()) * 2 ** -9, random.below(3) - 1)),
    equal: fill(() => (random.below(2) === 0 ? -0.25 : 0.25)),
    "hardly any": fill((i) => (i % 97 === 3 ? unit() : 0)),
    tiny: fill(() => unit() * 2 ** -99),
    large: fill(() => unit() * 2 ** 124),
  };
}
