import type { ModelShape } from "../../model/config.ts";
import type { DeviceNeeds, Op } from "../../model/engine/ops.ts";
import { type TrainingSchedule, trainingSchedule } from "../../model/engine/schedule.ts";
import { BATCH, OPTIMIZER } from "./job.ts";

/** Only memory depends on a device's needs; neither count below does. */
const NEEDS: DeviceNeeds = { attention: () => 1, partials: 1, scratch: () => 0 };

const schedule = (shape: ModelShape): TrainingSchedule => trainingSchedule(shape, BATCH, OPTIMIZER, NEEDS);

/**
 * FLOP of a training step, a multiply and an add being two:
 *   gemm [m, k]·[k, n]:   2·m·n·k
 *   attention forward:    2 products (q·k and P·v), each 2·size FLOP a pair
 *   attention backward:   4 products (dV, dP, dQ, dK), likewise
 * with batch·heads·T(T + 1)/2 causal pairs: what the mask hides is not counted, nor anything computed twice, nor
 * exp, norms, GELU, softmax and AdamW. So it is what the mathematics needs, and a lower bound of the work done.
 */
export function flopsOf(shape: ModelShape): number {
  return schedule(shape).first.reduce((sum, op) => sum + flopsOfOp(op), 0);
}

function flopsOfOp(op: Op): number {
  if (op.op === "gemm") return 2 * op.m * op.n * op.k;
  if (op.op !== "attention" && op.op !== "attention-backward") return 0;
  const pairs = (op.batch * op.heads * op.context * (op.context + 1)) / 2;
  return (op.op === "attention" ? 2 : 4) * 2 * op.size * pairs;
}

/** Operations of a step on one micro-batch: what a device without passes of its own starts. */
export function opsOf(shape: ModelShape): number {
  const { first, update } = schedule(shape);
  return first.length + update.length;
}
