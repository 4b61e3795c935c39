import { ModelError } from "../contract/config.ts";
import type { Layout } from "../contract/layout.ts";
import type { Arena, Gemm, Op, Slot } from "./ops.ts";

/**
 * A network's products, above all its linear layers. For Z = A·W + b: dA = dZ·Wᵀ (NT), dW = Aᵀ·dZ (TN), db = Σ_rows dZ.
 * Each method appends to the network's ops. N is its rows.
 */
export class Products {
  readonly #ops: Op[];
  readonly #layout: Layout;
  readonly #rows: number;

  constructor(ops: Op[], layout: Layout, rows: number) {
    this.#ops = ops;
    this.#layout = layout;
    this.#rows = rows;
  }

  /** out = activation(a·W + b + residual), W [k, n] */
  linear(a: Slot, name: string, k: number, n: number, epilogue: Epilogue): Slot {
    const out = this.slot(this.#rows * n);
    const b = this.named("parameters", `${name}.weight`);
    const bias = this.named("parameters", `${name}.bias`);
    this.gemm({ mode: "NN", a, b, out, m: this.#rows, n, k, bias, ...epilogue });
    return out;
  }

  /**
   * dW = aᵀ·dOut, db = Σ_rows dOut; beside it da = dOut·Wᵀ, times gelu′(pre) where a came out of GELU.
   * a [N, k], dOut [N, n]; returns da, [N, k].
   */
  linearBackward(a: Slot, dOut: Slot, name: string, k: number, n: number, pre: Slot | null): Slot {
    const out = this.named("gradients", `${name}.weight`);
    const biasGradient = this.named("gradients", `${name}.bias`);
    this.gemm({ mode: "TN", a, b: dOut, out, m: k, n, k: this.#rows, biasGradient, beside: true });
    const da = this.slot(this.#rows * k);
    const b = this.named("parameters", `${name}.weight`);
    const activation = pre ? "gelu-backward" : "none";
    this.gemm({ mode: "NT", a: dOut, b, out: da, m: this.#rows, n: k, k: n, activation, pre });
    return da;
  }

  /** Without a stride nothing is padded. */
  gemm(gemm: Pick<Gemm, "mode" | "a" | "b" | "out" | "m" | "n" | "k"> & Epilogue): void {
    const stride = denseStride(gemm);
    const nothing = { bias: null, residual: null, pre: null, biasGradient: null } as const;
    this.#ops.push({ op: "gemm", activation: "none", accumulate: false, stride, ...nothing, ...gemm });
  }

  /** An activation; plan.ts finds its place. */
  slot(length: number): Slot {
    return { arena: "activations", offset: -1, length };
  }

  /** A piece of an activation. */
  within(slot: Slot, from: number, length: number): Slot {
    return { arena: "activations", within: { slot, from }, offset: -1, length };
  }

  /** Where a tensor, or its gradient, lies. */
  named(arena: Arena, name: string): Slot {
    const tensor = this.#layout.tensors.find((candidate) => candidate.name === name);
    if (!tensor) throw new ModelError("bad-shape", `no tensor ${name}`);
    return { arena, offset: tensor.offset, length: tensor.length };
  }
}

/** The stride of a product whose rows have no padding. */
export const denseStride = ({ mode, m, n, k }: Pick<Gemm, "mode" | "m" | "n" | "k">): number =>
  ({ NN: k, NT: n, TN: m })[mode];

type Epilogue = Partial<
  Pick<Gemm, "bias" | "residual" | "activation" | "pre" | "biasGradient" | "stride" | "beside" | "accumulate">
>;
