import type { DeviceNeeds, Op } from "../ops.ts";
import { SMALL_SUBGROUP } from "./adapter.ts";
import { adamW } from "./kernels/adamw.ts";
import { attention, attentionUnit, type Heads, SAVED } from "./kernels/attention.ts";
import { attentionBackward } from "./kernels/attention-backward.ts";
import { isShared, sharedAttention, sharedAttentionBackward } from "./kernels/attention-lanes.ts";
import { quadAttention, quadAttentionBackward } from "./kernels/attention-quad.ts";
import { embed, embedBackward } from "./kernels/embedding.ts";
import { gemm, gemms } from "./kernels/gemm.ts";
import type { Kernel } from "./kernels/kernel.ts";
import { layerNorm, layerNormBackward } from "./kernels/layernorm.ts";
import { crossEntropy } from "./kernels/loss.ts";
import type { Rows } from "./kernels/rows.ts";
import type { Tiles } from "./kernels/tile.ts";
import { delta, norm, PARTIALS } from "./kernels/update.ts";
import { muon, muonWorkspace } from "./muon.ts";
import type { Tables } from "./tables.ts";

/** Choices that differ from one adapter to another. The numbers come out the same to rounding. */
export interface Tuning {
  readonly rows: Rows;
  readonly heads: Heads;
  readonly tiles: Tiles;
}

/** Memory of these kernels beside the schedule's own slots. */
export const NEEDS: DeviceNeeds = {
  attention: (batch, context, heads) => batch * heads * context * SAVED,
  partials: PARTIALS,
  rowAlignment: 4, // products read four values at a time
  muon: muonWorkspace,
  scratch: () => 0,
};

/** The dispatches of a list of ops. Products that may be done at the same time share one. */
export function lowerAll(ops: readonly Op[], tuning: Tuning, tables: Tables): Kernel[] {
  const kernels: Kernel[] = [];
  for (let i = 0; i < ops.length; i++) {
    const [op, next] = [ops[i]!, ops[i + 1]];
    if (op.op === "gemm" && op.beside && next?.op === "gemm") {
      kernels.push(...gemms([op, next], tuning.tiles));
      i++;
    } else kernels.push(...lower(op, tuning, tables));
  }
  return kernels;
}

/** The dispatches of one op: one; attention's backward and the norm take two, and Muon more (muon.ts). */
export function lower(op: Op, { rows, heads, tiles }: Tuning, tables: Tables): Kernel[] {
  switch (op.op) {
    case "embed":
      return [embed(op)];
    case "embed-backward":
      return [embedBackward(op)];
    case "layernorm":
      return [layerNorm(op, rows)];
    case "layernorm-backward":
      return [layerNormBackward(op, rows)];
    case "gemm":
      return [gemm(op, tiles)];
    case "attention":
      if (heads.shared && isShared(op)) return [inEights(sharedAttention(op, heads.shared), heads)];
      return heads.quads && attentionUnit(op) === 4
        ? [quadAttention(op, heads.each)]
        : [attention(op, heads)];
    case "attention-backward":
      if (heads.shared && isShared(op))
        return sharedAttentionBackward(op, heads.shared).map((kernel) => inEights(kernel, heads));
      return heads.quads && attentionUnit(op) === 4
        ? quadAttentionBackward(op, heads.each)
        : attentionBackward(op, heads);
    case "cross-entropy":
      return [crossEntropy(op, rows)];
    case "norm":
      return norm(op);
    case "adamw":
      return [adamW(op, tables.adamW)];
    case "muon":
      return muon(op, tiles, tables.muon);
    case "delta":
      return [delta(op)];
  }
}

const inEights = (kernel: Kernel, { eights }: Heads): Kernel =>
  eights ? { ...kernel, subgroupSize: SMALL_SUBGROUP } : kernel;
