import type { ModelFile } from "../../client/worker/replica.ts";
import type { Carried, Rest, Trainer } from "../../model/contract/trainer.ts";
import { addDelta, adjust } from "../../model/reference/extraction.ts";
import type { Codec } from "../../protocol/codec/codec.ts";
import { toFloats } from "./to-floats.ts";

/** Ten numbers that want to become 0 … 9: the smallest model that rounds, residuals and diffs can move. */
export const TARGET = Float32Array.from({ length: 10 }, (_, i) => i);

/** Versions of ten numbers as files: their bytes. */
export const toyFile: ModelFile = {
  write: (weights) => new Uint8Array(weights.slice().buffer),
  read: (bytes) => {
    if (bytes.length !== 4 * TARGET.length) throw new Error(`${bytes.length} bytes`);
    return toFloats(bytes);
  },
  copy: (weights) => new Float32Array(weights),
};

/** Gradient descent towards {@link TARGET}, counting in its moments what it did. Any step can be made to fail. */
export class ToyTrainer implements Trainer {
  readonly report = { device: "cpu", engine: "tfjs", detail: "ten numbers", software: false } as const;
  /** What each ticket started from. */
  readonly starts: (Partial<Carried> | "kept" | undefined)[] = [];
  disposed = false;
  steps = 0;
  onStep: (step: number, rest?: Rest) => void | Promise<void> = () => undefined;
  #start = new Float32Array();
  #weights = new Float32Array();
  #moments = { m: new Float32Array(), v: new Float32Array(), step: 0 };
  #residual = new Float32Array();
  #losses: number[] = [];

  async load(weights: Float32Array, carried?: Partial<Carried> | "kept"): Promise<void> {
    this.#start = weights.slice();
    this.#weights = weights.slice();
    this.starts.push(carried);
    this.#losses = [];
    if (carried === "kept") return;
    const { length } = weights;
    const vector = (values?: Float32Array) => values?.slice() ?? new Float32Array(length);
    this.#moments = { m: vector(carried?.m), v: vector(carried?.v), step: carried?.step ?? 0 };
    this.#residual = vector(carried?.residual);
  }

  async step(_tokens: Uint16Array, _batch: number, rate: number, rest?: Rest): Promise<void> {
    await this.onStep(++this.steps, rest);
    this.#losses.push(distance(this.#weights));
    for (let i = 0; i < this.#weights.length; i++) {
      const gradient = this.#weights[i]! - TARGET[i]!;
      this.#moments.m[i] = gradient;
      this.#weights[i]! -= rate * gradient;
    }
    this.#moments.step++;
  }

  async losses() {
    return Float32Array.from(this.#losses.splice(0));
  }
  async delta() {
    return this.#start.map((start, i) => start - this.#weights[i]!);
  }
  async extract(codec: Codec) {
    addDelta(this.#residual, this.#start, this.#weights);
    return codec.encode(this.#residual, this.#residual);
  }
  async adjustResidual(factor: number, plus?: Float32Array) {
    adjust(this.#residual, factor, plus);
  }
  async carried() {
    const { m, v, step } = this.#moments;
    return { m: m.slice(), v: v.slice(), step, residual: this.#residual.slice() };
  }
  async vector(which: "m" | "residual") {
    return which === "m" ? this.#moments.m.slice() : this.#residual.slice();
  }
  async evaluate() {
    return distance(this.#weights);
  }
  async logits(tokens: Uint16Array) {
    return new Float32Array(tokens.length * 256);
  }
  dispose(): void {
    this.disposed = true;
  }
}

/** Mean squared distance to {@link TARGET}. */
export const distance = (weights: Float32Array): number =>
  weights.reduce((sum, weight, i) => sum + (weight - TARGET[i]!) ** 2, 0) / weights.length;
