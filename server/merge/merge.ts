import type { CodecSpec } from "../../protocol/codec/codec.ts";
import { addFrame, encodeFrame } from "../../protocol/frame.ts";
import { WeightedMean } from "./mean.ts";
import { effectiveCount, type OuterRule, outerStep } from "./outer.ts";

/** The server's vectors at one version, all flat and of one length. */
export interface Vectors {
  /** The published weights, equal on every replica to the byte. */
  readonly x: Float32Array<ArrayBuffer>;
  /** The outer steps' weights; x follows them by compressed diffs, so θ − x is the downlink's residual. */
  readonly theta: Float32Array<ArrayBuffer>;
  /** The outer step's momentum. */
  readonly momentum: Float32Array<ArrayBuffer>;
}

export interface WeightedFrame {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly weight: number;
}

export interface Merged {
  readonly vectors: Vectors;
  /** The frame that takes a replica from the old x to the new one. */
  readonly diff: Uint8Array<ArrayBuffer>;
  /** L2 norm of the deltas' mean. */
  readonly norm: number;
}

/** Version 0: nothing learned, nothing left over. */
export function initialVectors(x: Float32Array<ArrayBuffer>): Vectors {
  return { x, theta: x.slice(), momentum: new Float32Array(x.length) };
}

/** The part of a run that decides how its versions follow from its deltas. */
export interface MergeRule extends OuterRule {
  /** The codec of diffs. */
  readonly downlink: CodecSpec;
  /** Divides the weighted sum, where it is more than the sum of the weights; absent: that sum. */
  readonly total?: number;
}

/**
 * One version: the weighted mean of the deltas in the order given, the outer step, and the compressed diff. Leaves
 * `vectors` as they are. Plain f32 in a fixed order: the same bytes on every machine. Throws `not-finite` when the
 * result is not.
 */
export function merge(vectors: Vectors, frames: readonly WeightedFrame[], rule: MergeRule): Merged {
  const weights = frames.map(({ weight }) => weight);
  const mean = new WeightedMean(vectors.x.length, weights, rule.total);
  for (const { frame, weight } of frames) mean.add(frame, weight);
  const { x, theta, momentum } = vectors;
  const next = { x: x.slice(), theta: theta.slice(), momentum: momentum.slice() };
  return { ...advance(next, mean.values, weights, rule), vectors: next };
}

/**
 * Takes the vectors on to the next version, in place, and returns the mean's norm and the diff D = Q(θ' − x), x' = x + D
 * (QAFeL, 2308.00263). `weights` are those of the deltas that `mean` is of, and the mean is used up. Where it throws, `not-finite`, the vectors are spoilt.
 */
export function advance(
  vectors: Vectors,
  mean: Float32Array,
  weights: readonly number[],
  rule: MergeRule,
): Omit<Merged, "vectors"> {
  const { x, theta, momentum } = vectors;
  let squares = 0;
  for (let i = 0; i < mean.length; i++) squares += mean[i]! * mean[i]!;
  outerStep(rule, theta, momentum, mean, effectiveCount(weights));
  for (let i = 0; i < mean.length; i++) mean[i] = theta[i]! - x[i]!;
  const diff = encodeFrame(rule.downlink, mean);
  addFrame(diff, x, 1);
  return { diff, norm: Math.sqrt(squares) };
}
