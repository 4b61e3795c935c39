import { WeightedMean } from "../../server/merge/mean.ts";
import { advance, type Merged } from "../../server/merge/merge.ts";
import type { MergeRule } from "../../server/merge/step.ts";
import type { Vectors } from "../../server/merge/vectors.ts";

interface WeightedFrame {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
}

/** One version in one piece: the weighted mean of the deltas in the order given, the outer step, and the compressed diff. */
export function merge(vectors: Vectors, frames: readonly WeightedFrame[], rule: MergeRule): Merged {
  const weights = frames.map(({ weight }) => weight);
  const mean = new WeightedMean(vectors.x.length, weights, rule.total);
  for (const { frame, weight } of frames) mean.add(frame, weight);
  return advance(vectors, mean.values, weights, rule);
}
