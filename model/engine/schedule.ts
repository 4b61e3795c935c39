import type { Codec } from "../../protocol/codec/codec.ts";
import type { ModelShape, Optimizer } from "../contract/config.ts";
import { type Layout, layoutOf } from "../contract/layout.ts";
import { muonMatrices } from "../contract/muon.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import type { Collect, Encode } from "./extraction-ops.ts";
import { Network, type TokenSlots } from "./network.ts";
import type { Arena, Delta, Op, Slot } from "./ops.ts";
import { type Arenas, planArenas } from "./plan.ts";
import type { Recompute } from "./recompute.ts";
import { segmentsOf, squaresOf } from "./second-moments.ts";

/**
 * A training step as a plain list of fused ops: 18 a layer (7 forward, 11 backward) and 10 around them,
 * of which four are repeated where logits are computed in several parts. Run
 * `first` on the step's first micro-batch, `more` on those after it, `update` once at the end.
 */
export interface TrainingSchedule {
  /** Sequences of a micro-batch, of shape.context tokens each. */
  readonly batch: number;
  /** Forward and backward; overwrites the gradients. */
  readonly first: readonly Op[];
  /** The same, adding to the gradients. */
  readonly more: readonly Op[];
  /** Clips and applies the gradients: two ops, or three with Muon. */
  readonly update: readonly Op[];
  readonly tokens: TokenSlots;
  /** Nats a row, [rows], valid until the next micro-batch. */
  readonly losses: Slot;
  readonly arenas: Arenas;
}

/** Forward only: the loss of each row. */
export interface EvaluationSchedule {
  readonly batch: number;
  readonly ops: readonly Op[];
  readonly tokens: TokenSlots;
  readonly losses: Slot;
  readonly arenas: Arenas;
}

/** Forward only: what follows each token of one sequence. */
export interface LogitsSchedule {
  /**
   * One after the other. Each leaves the logits of some rows, [rows, stride], where the next may put its own: what follows the
   * vocabulary in a row is padding.
   */
  readonly parts: readonly { readonly ops: readonly Op[]; readonly logits: Slot }[];
  readonly tokens: TokenSlots;
  readonly stride: number;
  readonly arenas: Arenas;
}

/** The training step on micro-batches of `batch` sequences of `shape.context` tokens. Without `recompute` all activations are kept. */
export function trainingSchedule(
  shape: ModelShape,
  batch: number,
  optimizer: Optimizer,
  needs: DeviceNeeds,
  recompute: Recompute = (ops) => ops,
): TrainingSchedule {
  const net = new Network(shape, batch, shape.context, needs);

  let x = net.embed();
  const blocks = Array.from({ length: shape.layers }, (_, layer) => {
    const block = net.block(layer, x, true);
    x = block.out;
    return block;
  });
  const final = net.layerNorm(x, "ln_f");
  const { losses, dn: dFinal } = net.head.loss(final.out, true, net.rows);

  const dx = net.slot(net.rows * shape.width); // the residual stream's gradient, all the way down
  net.layerNormBackward(x, final.stats, "ln_f", dFinal!, dx, false);
  for (const block of blocks.toReversed()) net.blockBackward(block, dx);
  net.embedBackward(dx);

  const first = recompute(net.ops);
  const update = updateOps(net, optimizer, needs);
  const arenas = planArenas([...first, ...update], [losses], needs);
  const more = first.map(accumulating);
  return { batch, first, more, update, tokens: net.tokens, losses, arenas };
}

/** The losses of `batch` sequences of `shape.context` tokens. */
export function evaluationSchedule(shape: ModelShape, batch: number, needs: DeviceNeeds): EvaluationSchedule {
  const net = new Network(shape, batch, shape.context, needs);
  const { losses } = net.head.loss(net.inference(), false, net.rows);
  const arenas = planArenas(net.ops, [losses], needs);
  return { batch, ops: net.ops, tokens: net.tokens, losses, arenas };
}

/** The logits of one sequence of `length` tokens, 1 to `shape.context`. */
export function logitsSchedule(shape: ModelShape, length: number, needs: DeviceNeeds): LogitsSchedule {
  const net = new Network(shape, 1, length, needs);
  let done = 0;
  const parts = Array.from(net.head.logits(net.inference(), length), ({ logits }) => {
    const ops = net.ops.slice(done);
    done = net.ops.length;
    return { ops, logits };
  });
  return { parts, tokens: net.tokens, stride: net.head.stride, arenas: planArenas(net.ops, [], needs) };
}

/** The pseudo-gradient as it is, into the gradients' arena: what tests and audits look at. */
export function deltaOp(shape: ModelShape): Delta {
  const layout = layoutOf(shape);
  return {
    op: "delta",
    loaded: whole("loaded", layout),
    parameters: whole("parameters", layout),
    out: whole("gradients", layout),
  };
}

/** From the trained weights to the payload, and to the residual that it leaves. */
export function extractionSchedule(shape: ModelShape, codec: Codec): readonly [Collect, Encode] {
  const layout = layoutOf(shape);
  const residual = whole("residual", layout);
  const words = Math.ceil(codec.payloadBytes(layout.length) / 4);
  return [
    { op: "collect", loaded: whole("loaded", layout), parameters: whole("parameters", layout), residual },
    { op: "encode", codec: codec.spec, residual, payload: { arena: "gradients", offset: 0, length: words } },
  ];
}

/** ‖g‖, then AdamW with the clipped gradient, or Muon for the matrices and AdamW for the rest. */
function updateOps(net: Network, optimizer: Optimizer, needs: DeviceNeeds): Op[] {
  const { layout } = net;
  const { inner, ...adamW } = optimizer;
  const segments = segmentsOf(layout, optimizer);
  const common = {
    parameters: whole("parameters", layout),
    gradients: whole("gradients", layout),
    m: whole("m", layout),
    partials: net.slot(needs.partials),
  };
  const v: Slot = { arena: "v", offset: 0, length: squaresOf(segments) };
  const ops: Op[] = [
    { op: "norm", gradients: common.gradients, partials: common.partials },
    { op: "adamw", ...common, v, segments, ...adamW },
  ];
  if (inner !== "muon") return ops;
  const matrices = muonMatrices(layout);
  const workspace = net.slot(needs.muon(matrices));
  const { weightDecay, clip } = adamW;
  return [...ops, { op: "muon", ...common, workspace, matrices, weightDecay, clip }];
}

/** Only ops that write gradients accumulate: a gemm into an activation must not. */
function accumulating(op: Op): Op {
  if (op.op === "gemm") return op.out.arena === "gradients" ? { ...op, accumulate: true } : op;
  if (op.op === "layernorm-backward" || op.op === "embed-backward") return { ...op, accumulate: true };
  return op;
}

const whole = (arena: Arena, layout: Layout): Slot => ({ arena, offset: 0, length: layout.length });
