import { ModelError, type ModelShape } from "../contract/config.ts";
import { type Layout, layoutOf } from "../contract/layout.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import { Head } from "./head.ts";
import type { Op, Slot } from "./ops.ts";
import { Products } from "./products.ts";

/** Activations that one layer's forward leaves for its backward. */
export interface Block {
  readonly layer: number;
  /** [N, C], the residual stream that enters. */
  readonly x: Slot;
  readonly norm1: Normed;
  /** [N, 3C] */
  readonly qkv: Slot;
  /** As the device likes it (DeviceNeeds.attention); null when there is no backward. */
  readonly saved: Slot | null;
  /** [N, C], the heads' outputs side by side. */
  readonly attended: Slot;
  /** [N, C], the stream after attention. */
  readonly middle: Slot;
  readonly norm2: Normed;
  /** [N, 4C], what enters GELU; null when there is no backward. */
  readonly pre: Slot | null;
  /** [N, 4C], what leaves it. */
  readonly hidden: Slot;
  /** [N, C], the stream that leaves. */
  readonly out: Slot;
}

export interface Normed {
  /** [N, C] */
  readonly out: Slot;
  /** [N, 2] */
  readonly stats: Slot;
}

/** Where the host writes a micro-batch's integers (tokens.ts fills them). */
export interface TokenSlots {
  /** [N] */
  readonly inputs: Slot;
  /** [N] */
  readonly targets: Slot;
  /** [N], see EmbedBackward */
  readonly order: Slot;
  /** [vocabulary + 1], see EmbedBackward */
  readonly starts: Slot;
}

/**
 * GPT-2 written down op by op, forward and backward: each method appends to {@link Network.ops}.
 * Notation: C width, T tokens a sequence, N = sequences·T rows, V vocabulary; dZ is ∂loss/∂Z.
 */
export class Network {
  readonly ops: Op[] = [];
  readonly layout: Layout;
  readonly tokens: TokenSlots;
  /** N */
  readonly rows: number;
  readonly head: Head;
  readonly #shape: ModelShape;
  readonly #sizes: { batch: number; context: number; heads: number; size: number };
  readonly #needs: DeviceNeeds;
  readonly #products: Products;

  /** For `batch` sequences of `context` tokens each, which may be fewer than the shape's positions. */
  constructor(shape: ModelShape, batch: number, context: number, needs: DeviceNeeds) {
    this.#shape = shape;
    this.#sizes = { batch, context, heads: shape.heads, size: shape.width / shape.heads };
    this.#needs = needs;
    this.layout = layoutOf(shape);
    this.rows = batch * context;
    const N = this.rows;
    this.#products = new Products(this.ops, this.layout, N);
    const at = (offset: number, length: number): Slot => ({ arena: "tokens", offset, length });
    this.tokens = {
      inputs: at(0, N),
      targets: at(N, N),
      order: at(2 * N, N),
      starts: at(3 * N, shape.vocabulary + 1),
    };
    this.head = new Head(this.ops, this.#products, shape, needs, this.tokens.targets);
  }

  /** The whole forward up to the head, without what only a backward needs. Returns what the head reads, [N, C]. */
  inference(): Slot {
    let x = this.embed();
    for (let layer = 0; layer < this.#shape.layers; layer++) x = this.block(layer, x, false).out;
    return this.layerNorm(x, "ln_f").out;
  }

  /** x = wte[token] + wpe[position] */
  embed(): Slot {
    const { width } = this.#shape;
    const out = this.slot(this.rows * width);
    this.ops.push({
      op: "embed",
      tokens: this.tokens.inputs,
      table: this.parameter("wte.weight"),
      positions: this.parameter("wpe.weight"),
      out,
      rows: this.rows,
      context: this.#sizes.context,
      width,
    });
    return out;
  }

  /**
   * n₁ = LN(x); qkv = n₁·W + b; a = attention(qkv); y = a·W + b + x;
   * n₂ = LN(y); u = n₂·W + b; h = gelu(u); out = h·W + b + y. Seven ops.
   */
  block(layer: number, x: Slot, training: boolean): Block {
    const C = this.#shape.width;
    const N = this.rows;
    const { batch, context, heads, size } = this.#sizes;
    const h = `h.${layer}`;
    const norm1 = this.layerNorm(x, `${h}.ln_1`);
    const qkv = this.#products.linear(norm1.out, `${h}.attn.c_attn`, C, 3 * C, {});
    const attended = this.slot(N * C);
    const saved = training ? this.slot(this.#needs.attention(batch, context, heads, size)) : null;
    this.ops.push({ op: "attention", qkv, out: attended, saved, ...this.#sizes });
    const middle = this.#products.linear(attended, `${h}.attn.c_proj`, C, C, { residual: x });
    const norm2 = this.layerNorm(middle, `${h}.ln_2`);
    const pre = training ? this.slot(N * 4 * C) : null;
    const hidden = this.#products.linear(norm2.out, `${h}.mlp.c_fc`, C, 4 * C, { activation: "gelu", pre });
    const out = this.#products.linear(hidden, `${h}.mlp.c_proj`, 4 * C, C, { residual: middle });
    return { layer, x, norm1, qkv, saved, attended, middle, norm2, pre, hidden, out };
  }

  /**
   * The block read from its end, eleven ops. dx enters as the gradient of `out` and leaves as that of `x`: a
   * skip connection passes it on unchanged, and each branch's layer norm adds the branch's part.
   */
  blockBackward(block: Block, dx: Slot): void {
    const C = this.#shape.width;
    const N = this.rows;
    const h = `h.${block.layer}`;
    const { saved, pre } = block;
    if (saved === null || pre === null) throw new ModelError("bad-shape", "a forward-only block");

    // out = h·W + b + y, h = gelu(u)
    const du = this.#products.linearBackward(block.hidden, dx, `${h}.mlp.c_proj`, 4 * C, C, pre);
    // u = n₂·W + b, n₂ = LN(y)
    const dNorm2 = this.#products.linearBackward(block.norm2.out, du, `${h}.mlp.c_fc`, C, 4 * C, null);
    this.layerNormBackward(block.middle, block.norm2.stats, `${h}.ln_2`, dNorm2, dx, true);

    // y = a·W + b + x, a = attention(qkv)
    const dAttended = this.#products.linearBackward(block.attended, dx, `${h}.attn.c_proj`, C, C, null);
    const dQkv = this.slot(N * 3 * C);
    this.ops.push({
      op: "attention-backward",
      qkv: block.qkv,
      out: block.attended,
      saved,
      dOut: dAttended,
      dQkv,
      ...this.#sizes,
    });
    // qkv = n₁·W + b, n₁ = LN(x)
    const dNorm1 = this.#products.linearBackward(block.norm1.out, dQkv, `${h}.attn.c_attn`, C, 3 * C, null);
    this.layerNormBackward(block.x, block.norm1.stats, `${h}.ln_1`, dNorm1, dx, true);
  }

  layerNorm(x: Slot, name: string): Normed {
    const { width } = this.#shape;
    const out = this.slot(this.rows * width);
    const stats = this.slot(this.rows * 2);
    const weight = this.parameter(`${name}.weight`);
    const bias = this.parameter(`${name}.bias`);
    this.ops.push({ op: "layernorm", x, weight, bias, out, stats, rows: this.rows, width });
    return { out, stats };
  }

  layerNormBackward(x: Slot, stats: Slot, name: string, dOut: Slot, dx: Slot, residual: boolean): void {
    this.ops.push({
      op: "layernorm-backward",
      x,
      stats,
      weight: this.parameter(`${name}.weight`),
      dOut,
      dx,
      dWeight: this.gradient(`${name}.weight`),
      dBias: this.gradient(`${name}.bias`),
      rows: this.rows,
      width: this.#shape.width,
      residual,
      accumulate: false,
    });
  }

  embedBackward(dOut: Slot): void {
    this.ops.push({
      op: "embed-backward",
      dOut,
      starts: this.tokens.starts,
      order: this.tokens.order,
      dTable: this.gradient("wte.weight"),
      dPositions: this.gradient("wpe.weight"),
      rows: this.rows,
      context: this.#sizes.context,
      width: this.#shape.width,
      vocabulary: this.#shape.vocabulary,
      accumulate: false,
    });
  }

  /** An activation; plan.ts finds its place. */
  slot(length: number): Slot {
    return this.#products.slot(length);
  }

  parameter(name: string): Slot {
    return this.#products.named("parameters", name);
  }

  gradient(name: string): Slot {
    return this.#products.named("gradients", name);
  }
}
