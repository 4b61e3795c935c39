import { createHash } from "node:crypto";
import { Orthogonalizer } from "../../model/engine/wasm/orthogonal.ts";
import { Random } from "../../model/lib/random.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import type { Merged } from "../../server/merge/merge.ts";
import type { MergeRule } from "../../server/merge/step.ts";
import type { Vectors } from "../../server/merge/vectors.ts";

const LENGTH = 30 * 40 + 25;

export function drawn(seed: number, length = LENGTH): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length }, () => random.below(2_000_001) / 1e6 - 1);
}

export async function ruleOf(kind: "nesterov" | "muon"): Promise<MergeRule> {
  const orthogonalizer = await Orthogonalizer.open();
  return {
    outer: { kind, rate: 0.7, momentum: 0.3 },
    downlink: DENSE4,
    matrices: [{ offset: 25, rows: 30, columns: 40 }],
    orthogonalize: orthogonalizer.apply.bind(orthogonalizer),
  };
}

/** Frames as the journal gives them: pieces of a larger buffer. */
export const FRAMES = Array.from({ length: 9 }, (_, i) => {
  const frame = encodeFrame(DENSE4, drawn(i + 1));
  const block = new Uint8Array(frame.length + 20);
  block.set(frame, 10);
  return block.subarray(10, 10 + frame.length);
});
export const WEIGHTS = FRAMES.map((_, i) => 100 + i);

export async function* streamed(frames: readonly Uint8Array<ArrayBuffer>[] = FRAMES) {
  yield* frames;
}
export const jobOf = (vectors: Vectors) => ({ vectors, weights: WEIGHTS, frames: streamed() });

/** Of all that a merge gives: comparing millions of values one by one takes longer than making them. */
export const hashOf = ({ vectors: { x, theta, momentum }, diff, norm }: Merged): string => {
  const hash = createHash("sha256").update(String(norm));
  for (const values of [diff, x, theta, momentum]) hash.update(values);
  return hash.digest("hex");
};
