import { checkBatch, checkSequence, checkWeights } from "../../checks.ts";
import { ModelError } from "../../config.ts";
import { type Layout, layoutOf } from "../../layout.ts";
import type { DeviceReport, Moments, Trainer, TrainerOptions } from "../../trainer.ts";
import { hasFma, loadKernels } from "./kernels.ts";
import { Replica } from "./replica.ts";

export interface WasmTrainerOptions extends TrainerOptions {
  /** Use the build without fused multiply-add, whose bits are the same on every engine. */
  readonly deterministic?: boolean;
  /** Bytes of linear memory to stay within; larger batches accumulate gradients. */
  readonly memoryLimit?: number;
}

/** Leaves the browser of a phone room to breathe. */
const DEFAULT_MEMORY_LIMIT = 1024 ** 3;

/** A {@link Trainer} on WASM SIMD. Rejects with `device-unavailable` (no SIMD) or `device-limit`. */
export async function createWasmTrainer(options: WasmTrainerOptions): Promise<Trainer> {
  const fma = options.deterministic !== true && hasFma();
  const kernels = await loadKernels(fma);
  const replica = new Replica(kernels, { memoryLimit: DEFAULT_MEMORY_LIMIT, ...options });
  return new WasmTrainer(options, replica, fma ? "1 thread, SIMD + FMA" : "1 thread, SIMD");
}

/** Runs in the calling thread; each call has done its work when it resolves. */
class WasmTrainer implements Trainer {
  readonly report: DeviceReport;
  readonly #options: TrainerOptions;
  readonly #layout: Layout;
  /** Gone once disposed. */
  #replica: Replica | null;
  #loaded = false;
  #step = 0;
  #losses: number[] = [];

  constructor(options: TrainerOptions, replica: Replica, detail: string) {
    this.report = { device: "wasm", engine: "fast", detail, software: false };
    this.#options = options;
    this.#layout = layoutOf(options.shape);
    this.#replica = replica;
  }

  async load(weights: Float32Array, moments?: Moments): Promise<void> {
    checkWeights(this.#layout, weights, moments);
    this.#alive().load(weights, moments);
    this.#loaded = true;
    this.#step = moments?.step ?? 0;
    this.#losses = [];
  }

  async step(tokens: Uint16Array, batch: number, rate: number): Promise<void> {
    const { shape } = this.#options;
    checkBatch(shape, tokens, batch, this.#options.batch);
    const replica = this.#ready();
    const rows = batch * shape.context;
    this.#losses.push(replica.backward(tokens, batch, rows) / rows);
    this.#step += 1;
    replica.update(this.#step, rate);
  }

  async losses(): Promise<Float32Array> {
    const losses = Float32Array.from(this.#losses);
    this.#losses.length = 0;
    return losses;
  }

  async delta(): Promise<Float32Array> {
    return this.#ready().delta();
  }

  async moments(): Promise<Moments> {
    const { m, v } = this.#ready();
    return { m: m.slice(), v: v.slice(), step: this.#step };
  }

  async evaluate(tokens: Uint16Array, batch: number): Promise<number> {
    const { shape } = this.#options;
    checkBatch(shape, tokens, batch, this.#options.batch);
    return this.#ready().evaluate(tokens, batch) / (batch * shape.context);
  }

  async logits(tokens: Uint16Array): Promise<Float32Array> {
    checkSequence(this.#options.shape, tokens);
    return this.#ready().logits(tokens);
  }

  dispose(): void {
    this.#replica = null;
  }

  #alive(): Replica {
    if (!this.#replica) throw new ModelError("device-lost", "the trainer was disposed");
    return this.#replica;
  }

  #ready(): Replica {
    const replica = this.#alive();
    if (!this.#loaded) throw new ModelError("bad-weights", "no weights were loaded");
    return replica;
  }
}
