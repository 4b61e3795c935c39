import type { Inner, ModelShape } from "../contract/config.ts";
import { ITERATIONS, type MuonMatrix } from "../contract/muon.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import type { Attention, Op } from "./ops.ts";
import { slotsOf } from "./plan.ts";
import { type TrainingSchedule, trainingSchedule } from "./schedule.ts";

/** Only memory depends on a device's needs; no count below does. */
const NEEDS: DeviceNeeds = {
  attention: () => 1,
  partials: 1,
  rowAlignment: 1,
  logits: Number.POSITIVE_INFINITY,
  muon: () => 1,
  scratch: () => 0,
};
const OPTIMIZER = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 };

const schedule = (shape: ModelShape, batch: number, inner?: Inner): TrainingSchedule =>
  trainingSchedule(shape, batch, inner ? { ...OPTIMIZER, inner } : OPTIMIZER, NEEDS);

const opsOfStep = (shape: ModelShape, batch: number, inner?: Inner): readonly Op[] => {
  const { first, update } = schedule(shape, batch, inner);
  return [...first, ...update];
};

/**
 * FLOP of a training step on `batch` sequences, a multiply and an add being two:
 *   gemm [m, k]·[k, n]:   2·m·n·k
 *   attention forward:    2 products (q·k and P·v), each 2·size FLOP a pair
 *   attention backward:   4 products (dV, dP, dQ, dK), likewise
 *   Newton–Schulz, x [n, m]: a turn has x·xᵀ and its square, each half for symmetry, and a product: n²m + n³ + 2n²m
 * with batch·heads·T(T + 1)/2 causal pairs: what the mask hides is not counted, nor anything computed twice, nor
 * exp, norms, GELU, softmax and AdamW. So it is what the mathematics needs, and a lower bound of the work done.
 */
export const flopsOf = (shape: ModelShape, batch: number, inner?: Inner): number =>
  opsOfStep(shape, batch, inner).reduce((sum, op) => sum + flopsOfOp(op), 0);

function flopsOfOp(op: Op): number {
  if (op.op === "muon") return op.matrices.reduce((sum, matrix) => sum + newtonSchulzFlops(matrix), 0);
  if (op.op === "gemm") return 2 * op.m * op.n * op.k;
  if (op.op !== "attention" && op.op !== "attention-backward") return 0;
  return (op.op === "attention" ? 2 : 4) * 2 * op.size * attentionPairs(op);
}

/** Pairs of a query and a key that the causal mask lets through. */
export const attentionPairs = (op: Pick<Attention, "batch" | "heads" | "context">): number =>
  (op.batch * op.heads * op.context * (op.context + 1)) / 2;

function newtonSchulzFlops({ rows, columns }: MuonMatrix): number {
  const [n, m] = [Math.min(rows, columns), Math.max(rows, columns)];
  return ITERATIONS * n * n * (3 * m + n);
}

/** Operations of a step on one micro-batch: what a device without passes of its own starts. */
export const opsOf = (shape: ModelShape, batch: number): number => opsOfStep(shape, batch).length;

/**
 * Bytes that a step's operations name, every operand and result counted once an operation: the least that goes
 * through memory where nothing stays in a cache from one operation to the next. Each product of Newton–Schulz is one.
 */
export const bytesOf = (shape: ModelShape, batch: number, inner?: Inner): number =>
  4 * opsOfStep(shape, batch, inner).reduce((sum, op) => sum + valuesOf(op), 0);

function valuesOf(op: Op): number {
  if (op.op === "muon") return op.matrices.reduce((sum, matrix) => sum + muonValues(matrix), 0);
  // of the vectors that it shares with Muon, AdamW reads as much as it has second moments for
  if (op.op === "adamw") return 4 * op.v.length + op.partials.length;
  return slotsOf(op).reduce((sum, { length }) => sum + length, 0);
}

/** g, m → x; x ÷ ‖x‖; a turn's x → xxᵀ, xxᵀ → (xxᵀ)², (xxᵀ)², x → x; x → W. */
function muonValues({ rows, columns }: MuonMatrix): number {
  const [n, m] = [Math.min(rows, columns), Math.max(rows, columns)];
  return 6 * n * m + ITERATIONS * (3 * n * m + 4 * n * n);
}
