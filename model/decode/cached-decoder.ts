import { ModelError, type ModelShape } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";

/**
 * GPT-2 read token by token on the processor, in plain f32 loops, keeping every position's keys and values: for
 * a page that shows what attends to what, or writes on. No part of training: the engines do that, many
 * sequences at a time. About two operations a parameter and token.
 *
 * Letters: C the width, H the heads, V the vocabulary, T the tokens read so far.
 */
export class CachedDecoder {
  readonly #shape: ModelShape;
  readonly #tensors: ReadonlyMap<string, Float32Array>;
  /** Keys of each layer, then its values: [context, C] each. */
  readonly #keys: readonly Float32Array[];
  readonly #values: readonly Float32Array[];
  /** The newest position's attention: [layers, H, context], the first T of each row in use. */
  readonly #attention: Float32Array;
  readonly #logits: Float32Array;
  #length = 0;

  /** `weights` is flat, as {@link layoutOf} has them, and stays the caller's. Throws `bad-weights` on a wrong length. */
  constructor(shape: ModelShape, weights: Float32Array) {
    const { layers, heads, width, context, vocabulary } = shape;
    const layout = layoutOf(shape);
    if (weights.length !== layout.length) {
      throw new ModelError("bad-weights", `${weights.length} weights, not ${layout.length}`);
    }
    this.#shape = shape;
    this.#tensors = new Map(
      layout.tensors.map(({ name, offset, length }) => [name, weights.subarray(offset, offset + length)]),
    );
    const perLayer = () => Array.from({ length: layers }, () => new Float32Array(context * width));
    this.#keys = perLayer();
    this.#values = perLayer();
    this.#attention = new Float32Array(layers * heads * context);
    this.#logits = new Float32Array(vocabulary);
  }

  /** Tokens read, T. */
  get length(): number {
    return this.#length;
  }

  /** Whether no further token fits into the context. */
  get full(): boolean {
    return this.#length === this.#shape.context;
  }

  /** Forgets what was read. */
  reset(): void {
    this.#length = 0;
  }

  /** Reads one more token. Throws `bad-token` for an id outside the vocabulary, `bad-shape` when {@link full}. */
  read(token: number): void {
    const { layers, width, vocabulary } = this.#shape;
    if (!(Number.isInteger(token) && token >= 0 && token < vocabulary)) {
      throw new ModelError("bad-token", `token ${token} is not below ${vocabulary}`);
    }
    if (this.full) throw new ModelError("bad-shape", "the context is full");
    const place = this.#length++;
    const tokens = this.#tensor("wte.weight");
    const places = this.#tensor("wpe.weight");
    const x = tokens.slice(token * width, (token + 1) * width);
    for (let c = 0; c < width; c++) x[c]! += places[place * width + c]!;
    for (let layer = 0; layer < layers; layer++) {
      addInto(x, this.#attend(layer, place, this.#normal(x, `h.${layer}.ln_1`)));
      const wide = this.#linear(this.#normal(x, `h.${layer}.ln_2`), `h.${layer}.mlp.c_fc`);
      for (let i = 0; i < wide.length; i++) wide[i] = gelu(wide[i]!);
      addInto(x, this.#linear(wide, `h.${layer}.mlp.c_proj`));
    }
    const last = this.#normal(x, "ln_f");
    for (let id = 0; id < vocabulary; id++) {
      let sum = 0;
      for (let c = 0, at = id * width; c < width; c++, at++) sum += last[c]! * tokens[at]!;
      this.#logits[id] = sum;
    }
  }

  /** Logits [V] of what follows the last token. Valid until the next {@link read}. */
  logits(): Float32Array {
    return this.#logits;
  }

  /** How one head of one layer spreads its attention from the last token over all T so far; sums to 1. */
  attention(layer: number, head: number): Float32Array {
    const { heads, context } = this.#shape;
    const from = (layer * heads + head) * context;
    return this.#attention.subarray(from, from + this.#length);
  }

  /** Causal softmax attention of every head from `place` over all places up to it, and the projection. */
  #attend(layer: number, place: number, x: Float32Array): Float32Array {
    const { heads, width } = this.#shape;
    const side = width / heads;
    const qkv = this.#linear(x, `h.${layer}.attn.c_attn`);
    const keys = this.#keys[layer]!;
    const values = this.#values[layer]!;
    keys.set(qkv.subarray(width, 2 * width), place * width);
    values.set(qkv.subarray(2 * width), place * width);
    const mixed = new Float32Array(width);
    for (let head = 0; head < heads; head++) {
      const row = this.attention(layer, head);
      const from = head * side;
      for (let at = 0; at <= place; at++) {
        let score = 0;
        for (let c = 0; c < side; c++) score += qkv[from + c]! * keys[at * width + from + c]!;
        row[at] = score / Math.sqrt(side);
      }
      softmax(row);
      for (let at = 0; at <= place; at++) {
        for (let c = 0; c < side; c++) mixed[from + c]! += row[at]! * values[at * width + from + c]!;
      }
    }
    return this.#linear(mixed, `h.${layer}.attn.c_proj`);
  }

  /** y [out] = x [in] · w [in, out] + b. Row by row, as the weights lie in memory. */
  #linear(x: Float32Array, name: string): Float32Array {
    const weight = this.#tensor(`${name}.weight`);
    const y = this.#tensor(`${name}.bias`).slice();
    for (let i = 0, at = 0; i < x.length; i++) {
      const value = x[i]!;
      for (let o = 0; o < y.length; o++, at++) y[o]! += value * weight[at]!;
    }
    return y;
  }

  #normal(x: Float32Array, name: string): Float32Array {
    const gain = this.#tensor(`${name}.weight`);
    const bias = this.#tensor(`${name}.bias`);
    let mean = 0;
    for (const value of x) mean += value / x.length;
    let variance = 0;
    for (const value of x) variance += (value - mean) ** 2 / x.length;
    const inverse = 1 / Math.sqrt(variance + EPSILON);
    return x.map((value, c) => (value - mean) * inverse * gain[c]! + bias[c]!);
  }

  #tensor(name: string): Float32Array {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new ModelError("bad-shape", `there is no tensor ${name}`);
    return tensor;
  }
}

const EPSILON = 1e-5; // GPT-2's layer norm
const ROOT = Math.sqrt(2 / Math.PI);

/** GPT-2's GELU: ½x(1 + tanh(√(2/π)(x + .044715x³))). */
const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(ROOT * (x + 0.044715 * x ** 3)));

function addInto(x: Float32Array, y: Float32Array): void {
  for (let i = 0; i < x.length; i++) x[i]! += y[i]!;
}

function softmax(row: Float32Array): void {
  let most = Number.NEGATIVE_INFINITY;
  for (const score of row) most = Math.max(most, score);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.exp(row[i]! - most);
    sum += row[i]!;
  }
  for (let i = 0; i < row.length; i++) row[i]! /= sum;
}
