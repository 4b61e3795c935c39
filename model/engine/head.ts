import type { ModelShape } from "../contract/config.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import type { Op, Slot } from "./ops.ts";
import type { Products } from "./products.ts";

/** Logits of some rows. */
export interface SomeLogits {
  /** Rows before them. */
  readonly from: number;
  readonly rows: number;
  /** These rows of a slot that is so wide. */
  readonly part: (slot: Slot, width: number) => Slot;
  /** What they are the logits of, [rows, C]. */
  readonly some: Slot;
  readonly logits: Slot;
}

/** Rows of logits that are taken at a time are a multiple of this, but the last ones. */
const ROW_STEP = 64;

/** Rows whose logits are computed at a time: about as many as `most` values hold, in even parts. */
function rowsAtOnce(rows: number, stride: number, most: number): number {
  const parts = Math.ceil((rows * stride) / most);
  return Math.ceil(rows / parts / ROW_STEP) * ROW_STEP;
}

/** The network's last layer: the embedding table transposed. Appends to the network's ops, in whose notation it is written. */
export class Head {
  /** Values from one row of logits to the next: V, and what the device wants of padding. */
  readonly stride: number;
  readonly #ops: Op[];
  readonly #products: Products;
  readonly #shape: ModelShape;
  readonly #most: number;
  readonly #targets: Slot;

  constructor(ops: Op[], products: Products, shape: ModelShape, needs: DeviceNeeds, targets: Slot) {
    const { rowAlignment, logits } = needs;
    this.stride = Math.ceil(shape.vocabulary / rowAlignment) * rowAlignment;
    this.#ops = ops;
    this.#products = products;
    this.#shape = shape;
    this.#most = logits;
    this.#targets = targets;
  }

  /** n·wteᵀ of `all` rows of n: of some rows after the other, as many as the device wants at a time (DeviceNeeds.logits). */
  *logits(n: Slot, all: number): Generator<SomeLogits> {
    const { stride } = this;
    const { width: C, vocabulary: V } = this.#shape;
    const b = this.#products.named("parameters", "wte.weight");
    const each = rowsAtOnce(all, stride, this.#most);
    for (let from = 0; from < all; from += each) {
      const rows = Math.min(each, all - from);
      const part = (slot: Slot, width: number) =>
        rows === all ? slot : this.#products.within(slot, from * width, rows * width);
      const some = part(n, C);
      const logits = this.#products.slot(rows * stride);
      this.#products.gemm({ mode: "NT", a: some, b, out: logits, m: rows, n: V, k: C, stride });
      yield { from, rows, part, some, logits };
    }
  }

  /**
   * Losses of `all` rows of n, and with `gradient` dn = dlogits·wte, [N, C], and dwte = dlogitsᵀ·n: logits of some rows after the
   * other, and their gradient in their place.
   */
  loss(n: Slot, gradient: boolean, all: number): { readonly losses: Slot; readonly dn: Slot | null } {
    const { stride } = this;
    const { width: C, vocabulary } = this.#shape;
    const losses = this.#products.slot(all);
    const dn = gradient ? this.#products.slot(all * C) : null;
    for (const { from, rows, part, some, logits } of this.logits(n, all)) {
      this.#ops.push({
        op: "cross-entropy",
        logits,
        targets: { ...this.#targets, offset: this.#targets.offset + from, length: rows },
        losses: part(losses, 1),
        rows,
        before: from,
        vocabulary,
        stride,
        gradient,
      });
      if (!dn) continue;
      const common = { a: logits, n: C, stride };
      const out = this.#products.named("gradients", "wte.weight");
      const b = this.#products.named("parameters", "wte.weight");
      const dTable = { out, m: vocabulary, k: rows, accumulate: from > 0, beside: true };
      this.#products.gemm({ mode: "TN", ...common, b: some, ...dTable });
      this.#products.gemm({ mode: "NN", ...common, b, out: part(dn, C), m: rows, k: vocabulary });
    }
    return { losses, dn };
  }
}
