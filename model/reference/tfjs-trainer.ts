import * as tf from "@tensorflow/tfjs-core";
import type { Codec } from "../../protocol/codec/codec.ts";
import { checkBatch, checkSequence, checkWeights } from "../contract/checks.ts";
import { ModelError } from "../contract/config.ts";
import { type Layout, layoutOf } from "../contract/layout.ts";
import type { Carried, DeviceName, DeviceReport, Trainer, TrainerOptions } from "../contract/trainer.ts";
import { type AdamWState, adamW, decayMask } from "./adamw.ts";
import { type Backend, openBackend } from "./backend.ts";
import { addDelta, adjust } from "./extraction.ts";
import { gpt2, unflatten } from "./gpt2.ts";
import { lossAndGradient, meanLoss } from "./micro-batches.ts";
import { muon } from "./tfjs-muon.ts";

/** The reference trainer's options, and its tfjs backend. */
export interface ReferenceOptions extends TrainerOptions {
  readonly backend: DeviceName;
  /**
   * URL prefix, ending in "/", of the three files `tfjs-backend-wasm*.wasm`. Only the `wasm` backend looks at
   * it, and only in a browser: in Node the package finds its own.
   */
  readonly wasmPath?: string;
}

/** State on the device between steps: flat vectors, and the losses not yet read. */
interface Ticket {
  readonly loaded: tf.Tensor1D;
  state: AdamWState;
  step: number;
  losses: tf.Scalar[];
}

/**
 * A {@link Trainer} that runs gpt2.ts and adamw.ts op by op. Nothing but what {@link Ticket} names outlives a
 * call, and a step reads nothing back.
 */
export class TfjsTrainer implements Trainer {
  readonly #backend: Backend;
  readonly #options: ReferenceOptions;
  readonly #layout: Layout;
  readonly #decay: tf.Tensor1D;
  #ticket: Ticket | undefined;
  /** On the processor: op by op, an encoder would take longer than the readback. */
  readonly #residual: Float32Array;
  /** The extraction and the adjustments of the residual run one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Why every further call is refused. */
  #gone: string | undefined;
  /** Rejects of the calls that wait for the device. */
  readonly #waiting = new Set<() => void>();
  /** Tensors on their way to the processor. */
  readonly #reading = new Set<tf.Tensor>();

  /** Rejects with `device-unavailable`, or `device-limit` where a tensor would be too large. */
  static async open(options: ReferenceOptions): Promise<TfjsTrainer> {
    const backend = await openBackend(options.backend, options.wasmPath);
    try {
      checkLimit(options, backend);
      return new TfjsTrainer(options, backend);
    } catch (error) {
      backend.release();
      throw error;
    }
  }

  private constructor(options: ReferenceOptions, backend: Backend) {
    this.#options = options;
    this.#backend = backend;
    this.#layout = layoutOf(options.shape);
    this.#residual = new Float32Array(this.#layout.length);
    this.#decay = backend.run(() => tf.tensor1d(decayMask(this.#layout)));
    void backend.lost.then((reason) => this.#lose(reason));
  }

  get report(): DeviceReport {
    return this.#backend.report;
  }

  async load(weights: Float32Array, carried?: Partial<Carried> | "kept"): Promise<void> {
    const given = carried === "kept" ? undefined : (carried ?? {});
    checkWeights(this.#layout, weights, given);
    this.#run(() => {
      const before = this.#ticket;
      if (given === undefined && before === undefined) throw new ModelError("bad-weights", "nothing is kept");
      // tfjs keeps the very array on some backends, hence the copies.
      const loaded = tf.tensor1d(weights.slice());
      const vector = (values: Float32Array | undefined) =>
        values ? tf.tensor1d(values.slice()) : tf.zeros<tf.Rank.R1>([this.#layout.length]);
      const m = before && given === undefined ? tf.clone(before.state.m) : vector(given?.m);
      const v = before && given === undefined ? tf.clone(before.state.v) : vector(given?.v);
      const step = given === undefined ? (before?.step ?? 0) : (given.step ?? 0);
      this.#forget();
      this.#ticket = { loaded, state: { weights: tf.clone(loaded), m, v }, step, losses: [] };
    });
    if (given === undefined) return;
    const residual = given.residual?.slice();
    await this.#inTurn(() => adjust(this.#residual, 0, residual));
  }

  async step(tokens: Uint16Array, batch: number, rate: number): Promise<void> {
    checkBatch(this.#options.shape, tokens, batch, this.#options.batch);
    this.#on((ticket) => {
      ticket.step++;
      const { loss, ...next } = tf.tidy(() => {
        const { optimizer } = this.#options;
        const { loss, gradient } = lossAndGradient(this.#options, ticket.state.weights, tokens, batch);
        const given = [optimizer, ticket.state, gradient, this.#decay, ticket.step, rate] as const;
        const state = optimizer.inner === "muon" ? muon(...given, this.#layout) : adamW(...given);
        return { loss, ...state };
      });
      tf.dispose({ ...ticket.state });
      ticket.state = next;
      ticket.losses.push(loss);
    });
    await this.#wait(this.#backend.flush());
  }

  async losses(): Promise<Float32Array> {
    const all = this.#on((ticket) => {
      const { losses } = ticket;
      ticket.losses = [];
      const joined = losses.length > 0 ? tf.stack(losses) : tf.tensor1d([]);
      tf.dispose(losses);
      return joined;
    });
    return this.#read(all);
  }

  async delta(): Promise<Float32Array> {
    return this.#read(this.#on(({ loaded, state }) => tf.sub(loaded, state.weights)));
  }

  extract(codec: Codec): Promise<Uint8Array<ArrayBuffer>> {
    const [loaded, weights] = this.#on(({ loaded, state }) => [tf.clone(loaded), tf.clone(state.weights)]);
    return this.#inTurn(async () => {
      const [before, after] = await Promise.all([this.#read(loaded!), this.#read(weights!)]);
      addDelta(this.#residual, before, after);
      return codec.encode(this.#residual, this.#residual);
    });
  }

  adjustResidual(factor: number, plus?: Float32Array): Promise<void> {
    const copy = plus?.slice();
    return this.#inTurn(() => adjust(this.#residual, factor, copy));
  }

  async carried(): Promise<Carried> {
    const { m, v, step } = this.#on(({ state, step }) => ({
      m: tf.clone(state.m),
      v: tf.clone(state.v),
      step,
    }));
    const residual = this.vector("residual");
    const [first, second] = await Promise.all([this.#read(m), this.#read(v)]);
    return { m: first, v: second, step, residual: await residual };
  }

  async vector(which: "m" | "residual"): Promise<Float32Array> {
    if (which === "m") return this.#read(this.#on(({ state }) => tf.clone(state.m)));
    return this.#inTurn(() => this.#residual.slice());
  }

  async evaluate(tokens: Uint16Array, batch: number): Promise<number> {
    checkBatch(this.#options.shape, tokens, batch, this.#options.batch);
    const loss = this.#on(({ state }) =>
      tf.tidy(() => meanLoss(this.#options, state.weights, tokens, batch)),
    );
    return (await this.#read(loss))[0]!;
  }

  async logits(tokens: Uint16Array): Promise<Float32Array> {
    checkSequence(this.#options.shape, tokens);
    const logits = this.#on(({ state }) =>
      tf.tidy(() => {
        const parameters = unflatten(this.#layout, state.weights);
        const inputs = tf.tensor1d(Int32Array.from(tokens), "int32");
        return gpt2(this.#options.shape, parameters, { size: 1, time: tokens.length, inputs });
      }),
    );
    return this.#read(logits);
  }

  dispose(): void {
    this.#lose("the trainer was disposed");
    if (this.#decay.isDisposed) return;
    this.#backend.run(() => {
      this.#forget();
      tf.dispose([this.#decay, ...this.#reading]);
    });
    this.#backend.release();
  }

  /** Runs work on the residual after all before it. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(() => {
      if (this.#gone !== undefined) throw new ModelError("device-lost", this.#gone);
      return work();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Frees the ticket's tensors. */
  #forget(): void {
    if (this.#ticket === undefined) return;
    const { loaded, state, losses } = this.#ticket;
    tf.dispose([loaded, state.weights, state.m, state.v, ...losses]);
    this.#ticket = undefined;
  }

  /** Runs `work`, which must not await, on the backend. A kernel that throws has lost the device. */
  #run<T>(work: () => T): T {
    if (this.#gone !== undefined) throw new ModelError("device-lost", this.#gone);
    try {
      return this.#backend.run(work);
    } catch (error) {
      if (error instanceof ModelError) throw error;
      throw this.#lose(String(error));
    }
  }

  /** As {@link #run}, with the ticket's tensors. Throws `bad-weights` before a load. */
  #on<T>(work: (ticket: Ticket) => T): T {
    return this.#run(() => {
      if (this.#ticket === undefined) throw new ModelError("bad-weights", "no weights were loaded");
      return work(this.#ticket);
    });
  }

  /** Reads a tensor of f32 back and frees it. */
  async #read(tensor: tf.Tensor): Promise<Float32Array> {
    this.#reading.add(tensor);
    try {
      // The copy is for the CPU backend, which hands out its own array.
      return Float32Array.from(await this.#wait(tensor.data()));
    } finally {
      this.#reading.delete(tensor);
      if (!tensor.isDisposed) tensor.dispose();
    }
  }

  /** Waits for the device, but not after it is gone: some never answer then. */
  #wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = () => reject(new ModelError("device-lost", this.#gone ?? "the device is gone"));
      this.#waiting.add(lose);
      work
        .then(resolve, (error: unknown) => reject(this.#lose(String(error))))
        .finally(() => this.#waiting.delete(lose));
    });
  }

  #lose(reason: string): ModelError {
    this.#gone ??= reason;
    for (const lose of this.#waiting) lose();
    return new ModelError("device-lost", this.#gone);
  }
}

/** Throws `device-limit` when the largest tensor of a step does not fit the device. */
function checkLimit(options: ReferenceOptions, { tensorBytes, report }: Backend): void {
  const { shape } = options;
  const batch = Math.min(options.batch, options.micro ?? options.batch);
  const { heads, width, context, vocabulary } = shape;
  const rows = batch * context;
  const largest =
    4 * Math.max(layoutOf(shape).length, rows * vocabulary, rows * heads * context, rows * 4 * width);
  if (largest > tensorBytes)
    throw new ModelError(
      "device-limit",
      `a step needs a tensor of ${largest} bytes; ${report.detail} holds ${tensorBytes}: a batch of ${Math.floor((batch * tensorBytes) / largest)} might fit`,
    );
}
