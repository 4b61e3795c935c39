import type { Hash } from "../../protocol/ids.ts";
import { effectiveCount } from "./outer.ts";
import { diffOf, finish, gather, type MergeRule, normOf, startStep, turn } from "./step.ts";
import type { Vectors } from "./vectors.ts";

export interface Merged {
  readonly vectors: Vectors;
  /** The frame that takes a replica from the old x to the new one. */
  readonly diff: Uint8Array<ArrayBuffer>;
  /** L2 norm of the deltas' mean. */
  readonly norm: number;
  /** SHA-256 of the new x's file, where that was made on the way. */
  readonly model?: Hash;
}

/**
 * The next version's vectors, the mean's norm, and the diff D = Q(θ' − x), x' = x + D (QAFeL, 2308.00263). `weights` are those of
 * the deltas that `mean` is of; its memory becomes θ'. A pool of threads (merge-pool.ts) does the same, part by part. Plain f32 in a
 * fixed order: the same bytes on every machine. Throws `not-finite` when the result is not.
 */
export function advance(
  { x, theta, momentum }: Vectors,
  mean: Float32Array<ArrayBuffer>,
  weights: readonly number[],
  rule: MergeRule,
): Merged {
  const next = { x: x.slice(), theta: mean, momentum: new Float32Array(x.length) };
  const step = startStep(rule, { theta, momentum }, next);
  const all = { from: 0, to: x.length };
  gather(rule, step, all);
  if (rule.outer.kind === "muon") for (const matrix of rule.matrices) turn(rule, step, matrix);
  finish(rule, step, effectiveCount(weights), all);
  return { vectors: next, diff: diffOf(rule, step), norm: normOf(step) };
}
