import { type DeviceNeeds, MAX_LOGITS } from "../device-needs.ts";
import type { Gemm } from "../ops.ts";
import { slotsOf } from "../plan.ts";
import { SMALL_SUBGROUP } from "./adapter.ts";
import { adamW } from "./kernels/adamw.ts";
import { attention, attentionUnit, type Heads, SAVED } from "./kernels/attention.ts";
import { attentionBackward } from "./kernels/attention-backward.ts";
import { isShared, sharedAttention, sharedAttentionBackward } from "./kernels/attention-lanes.ts";
import type * as Quads from "./kernels/attention-quad.ts";
import type { DeviceOp } from "./kernels/device-op.ts";
import { embed, embedBackward } from "./kernels/embedding.ts";
import { gelu } from "./kernels/gelu.ts";
import { gemm, gemms } from "./kernels/gemm.ts";
import type { convert } from "./kernels/halves.ts";
import { index, type Kernel, line, main } from "./kernels/kernel.ts";
import { layerNorm, layerNormBackward } from "./kernels/layernorm.ts";
import { crossEntropy } from "./kernels/loss.ts";
import type { Rows } from "./kernels/rows.ts";
import type { Tiles } from "./kernels/tile.ts";
import { delta, norm, PARTIALS } from "./kernels/update.ts";
import { passOverAll } from "./kernels/work.ts";
import { muon, muonWorkspace } from "./muon.ts";
import type { Tables } from "./tables.ts";

/** Kernels that few adapters or schedules need, and that are fetched for those alone. */
export interface LateKernels {
  /** For schedules that keep activations in f16 (half-precision.ts). */
  readonly convert?: typeof convert | undefined;
  /** Where {@link Heads.quads} says so. */
  readonly quads?: Pick<typeof Quads, "quadAttention" | "quadAttentionBackward"> | undefined;
}

/** Choices that differ from one adapter to another. The numbers come out the same to rounding. */
export interface Tuning extends LateKernels {
  readonly rows: Rows;
  readonly heads: Heads;
  readonly tiles: Tiles;
}

/** Memory of these kernels beside the schedule's own slots. */
export const NEEDS: DeviceNeeds = {
  attention: (batch, context, heads) => batch * heads * context * SAVED,
  partials: PARTIALS,
  rowAlignment: 4, // products read four values at a time
  logits: MAX_LOGITS,
  muon: muonWorkspace,
  scratch: () => 0,
};

/** The dispatches of a list of ops. Products that may be done at the same time share one. */
export function lowerAll(ops: readonly DeviceOp[], tuning: Tuning, tables: Tables): Kernel[] {
  const kernels: Kernel[] = [];
  for (let i = 0; i < ops.length; i++) {
    const [op, next] = [ops[i]!, ops[i + 1]];
    if (op.op === "gemm" && op.beside && next?.op === "gemm") {
      kernels.push(...productsOf([op, next], tuning.tiles));
      i++;
    } else kernels.push(...boundBy([op], lower(op, tuning, tables)));
  }
  return kernels;
}

/** The dispatches of one product, or of two that may be done at the same time. */
export const productsOf = (ops: readonly Gemm[], tiles: Tiles): Kernel[] => boundBy(ops, gemms(ops, tiles));

/** The kernels, which bind the parts of the arenas that the ops' slots lie in. */
function boundBy(ops: readonly DeviceOp[], kernels: Kernel[]): Kernel[] {
  const slots = ops.flatMap(slotsOf).filter(({ part = 0 }) => part > 0);
  if (slots.length === 0) return kernels;
  const bound = Object.fromEntries(slots.map(({ arena, part }) => [arena, part]));
  const bind = (kernel: Kernel): Kernel =>
    kernel.apart ? { ...kernel, bound, apart: kernel.apart.map(bind) } : { ...kernel, bound };
  return kernels.map(bind);
}

/** The dispatches of one op: one; attention's backward and the norm take two, and Muon more (muon.ts). */
export function lower(
  op: DeviceOp,
  { rows, heads, tiles, convert, quads }: Tuning,
  tables: Tables,
): Kernel[] {
  switch (op.op) {
    case "embed":
      return [embed(op)];
    case "embed-backward":
      return [embedBackward(op)];
    case "embed-rows":
    case "embed-positions":
    case "embed-rows-backward":
    case "embed-positions-backward":
      return [op.kernel(main, line, index, passOverAll(op))];
    case "layernorm":
      return [layerNorm(op, rows)];
    case "layernorm-backward":
      return [layerNormBackward(op, rows)];
    case "gemm":
      return [gemm(op, tiles)];
    case "gelu":
      return [gelu(op)];
    case "pack":
    case "unpack":
      return [convert!(op, main, line, passOverAll(op))];
    case "attention":
      if (heads.shared && isShared(op)) return [inEights(sharedAttention(op, heads.shared), heads)];
      return heads.quads && attentionUnit(op) === 4
        ? [quads!.quadAttention(op, heads.each)]
        : [attention(op, heads)];
    case "attention-backward":
      if (heads.shared && isShared(op))
        return sharedAttentionBackward(op, heads.shared).map((kernel) => inEights(kernel, heads));
      return heads.quads && attentionUnit(op) === 4
        ? quads!.quadAttentionBackward(op, heads.each)
        : attentionBackward(op, heads);
    case "cross-entropy":
      return [crossEntropy(op, rows)];
    case "norm":
      return norm([op.gradients], op.partials);
    case "norm-of-parts":
      return norm(op.gradients, op.partials);
    case "adamw":
      return [adamW(op, tables.places.get(op)!)];
    case "muon":
      return muon(op, tiles, tables.places.get(op)!);
    case "delta":
      return [delta(op)];
  }
}

const inEights = (kernel: Kernel, { eights }: Heads): Kernel =>
  eights ? { ...kernel, subgroupSize: SMALL_SUBGROUP } : kernel;
