import { ModelError } from "../../contract/config.ts";
import type { DeviceNeeds, Op } from "../ops.ts";
import { attention, attentionUnit, type Heads, SAVED } from "./kernels/attention.ts";
import { attentionBackward } from "./kernels/attention-backward.ts";
import { quadAttention, quadAttentionBackward } from "./kernels/attention-quad.ts";
import { embed, embedBackward } from "./kernels/embedding.ts";
import { gemm } from "./kernels/gemm.ts";
import type { Kernel } from "./kernels/kernel.ts";
import { layerNorm, layerNormBackward } from "./kernels/layernorm.ts";
import { crossEntropy } from "./kernels/loss.ts";
import type { Rows } from "./kernels/rows.ts";
import type { Tiles } from "./kernels/tile.ts";
import { adamW, delta, norm, PARTIALS } from "./kernels/update.ts";

/** What differs from one adapter to another. The numbers come out the same to rounding. */
export interface Tuning {
  readonly rows: Rows;
  readonly heads: Heads;
  readonly tiles: Tiles;
}

/** What these kernels keep beside the schedule's own slots. */
export const NEEDS: DeviceNeeds = {
  attention: (batch, context, heads) => batch * heads * context * SAVED,
  partials: PARTIALS,
  muon: () => 1,
  scratch: () => 0,
};

/** The dispatches of one op: one, but for attention's backward and the norm, which take two. */
export function lower(op: Op, { rows, heads, tiles }: Tuning, decays: number): Kernel[] {
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
      return heads.quads && attentionUnit(op) === 4
        ? [quadAttention(op, heads.each)]
        : [attention(op, heads)];
    case "attention-backward":
      return heads.quads && attentionUnit(op) === 4
        ? quadAttentionBackward(op, heads.each)
        : attentionBackward(op, heads);
    case "cross-entropy":
      return [crossEntropy(op, rows)];
    case "norm":
      return norm(op);
    case "adamw":
      return [adamW(op, decays)];
    case "muon":
      throw new ModelError("device-unavailable", "there is no Muon on WebGPU");
    case "delta":
      return [delta(op)];
  }
}
