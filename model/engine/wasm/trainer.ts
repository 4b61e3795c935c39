import type { Codec } from "../../../protocol/codec/codec.ts";
import { checkBatch, checkSequence, checkWeights } from "../../contract/checks.ts";
import { ModelError } from "../../contract/config.ts";
import { type Layout, layoutOf } from "../../contract/layout.ts";
import type { Carried, DeviceReport, Trainer, TrainerOptions } from "../../contract/trainer.ts";
import { recomputingLeast } from "../fit.ts";
import type { Recompute } from "../recompute.ts";
import { hasFma, loadKernels } from "./kernels.ts";
import { memoryFor, USUAL_MEMORY } from "./memory-limit.ts";
import { Replica, type ReplicaOptions } from "./replica.ts";
import { sharesOf, WorkerPool } from "./worker-pool.ts";

export interface WasmTrainerOptions extends TrainerOptions {
  /** Use the build without fused multiply-add, whose bits are the same on every engine. */
  readonly deterministic?: boolean;
  /**
   * Threads that share a batch, this one included; 1 unless given. The bytes that come out depend on their
   * number, not on their timing. Where workers cannot start, one thread does it all, and the report says so.
   */
  readonly threads?: number;
  /** False for who only evaluates and reads logits: it takes a third of the memory, and every other call fails. */
  readonly trains?: boolean;
  /** Bytes of linear memory a thread stays within; larger batches accumulate gradients. Absent: {@link memoryFor}. */
  readonly memoryLimit?: number;
}

/** A {@link Trainer} on WASM SIMD. Rejects with `device-unavailable` (no SIMD) or `device-limit`. */
export async function createWasmTrainer(options: WasmTrainerOptions): Promise<WasmTrainer> {
  const { shape, optimizer, batch, micro = batch, memoryLimit } = options;
  const fma = options.deterministic !== true && hasFma();
  const kernels = await loadKernels(fma);
  // A share is the most that a thread sees in training, but evaluation brings this thread the whole batch.
  const open = (within: number, at = micro, recompute?: Recompute): [Replica, ReplicaOptions] => {
    const optimizes = options.trains ?? true;
    const about: ReplicaOptions = { shape, optimizer, batch, micro: at, memoryLimit: within, optimizes };
    return [new Replica(kernels, about, recompute), about];
  };
  let isTight = false;
  const [replica, replicaOptions] = await recomputingLeast((recompute) => {
    isTight = recompute !== undefined;
    const most = memoryLimit ?? memoryFor(globalThis.navigator);
    return isTight ? open(most, 1, recompute) : memoryLimit === undefined ? usually(open, most) : open(most);
  });
  // Further threads have a copy of the weights and one of the gradients each: too much where one thread takes so much.
  const isAlone = isTight || replica.bytes > USUAL_MEMORY || options.trains === false;
  const threads = isAlone ? 1 : Math.min(options.threads ?? 1, batch);
  const pool = await poolOf(threads, replicaOptions, fma);
  return new WasmTrainer(options, replica, pool, fma);
}

/** Within the usual limit, or, a model that is too large for it, one sequence at a time in what the machine has. */
function usually<T>(open: (within: number, micro?: number) => T, most: number): T {
  try {
    return open(USUAL_MEMORY);
  } catch (error) {
    if (!(error instanceof ModelError && error.code === "device-limit") || most <= USUAL_MEMORY) throw error;
    return open(most, 1);
  }
}

async function poolOf(threads: number, options: ReplicaOptions, fma: boolean): Promise<WorkerPool | null> {
  if (threads < 2) return null;
  const share = { ...options, batch: Math.ceil(options.batch / threads) };
  return WorkerPool.start(threads - 1, share, fma, layoutOf(options.shape).length).catch(() => null);
}

/** Calls run one after another; each has done its work when it resolves. */
export class WasmTrainer implements Trainer {
  readonly report: DeviceReport;
  readonly #options: WasmTrainerOptions;
  readonly #layout: Layout;
  /** Let go of when disposed, so that its memory can be collected though the trainer is still held. */
  #memory: Replica | null;
  readonly #pool: WorkerPool | null;
  #queue: Promise<unknown> = Promise.resolve();
  /** Why every further call is refused. */
  #gone: ModelError | null = null;
  #loaded = false;
  #step = 0;
  #losses: number[] = [];

  constructor(options: WasmTrainerOptions, replica: Replica, pool: WorkerPool | null, fma: boolean) {
    const threads = 1 + (pool?.size ?? 0);
    const detail = `${threads} thread${threads > 1 ? "s" : ""}, ${fma ? "SIMD + FMA" : "SIMD"}`;
    this.report = { device: "wasm", engine: "fast", detail, software: false };
    this.#options = options;
    this.#layout = layoutOf(options.shape);
    this.#memory = replica;
    this.#pool = pool;
  }

  load(weights: Float32Array, carried?: Partial<Carried> | "kept"): Promise<void> {
    return this.#enqueue(() => {
      if (carried === "kept") this.#checkLoaded();
      checkWeights(this.#layout, weights, carried === "kept" ? undefined : carried);
      this.#replica.load(weights, carried);
      this.#loaded = true;
      if (carried !== "kept") this.#step = carried?.step ?? 0;
      this.#losses = [];
    });
  }

  step(tokens: Uint16Array, batch: number, rate: number): Promise<void> {
    return this.#enqueue(async () => {
      this.#check(tokens, batch);
      this.#checkTrains();
      const rows = batch * this.#options.shape.context;
      const loss = this.#pool
        ? await this.#backwardTogether(this.#pool, tokens, batch, rows)
        : this.#replica.backward(tokens, batch, rows);
      this.#losses.push(loss / rows);
      this.#step += 1;
      this.#replica.update(this.#step, rate);
    });
  }

  losses(): Promise<Float32Array> {
    return this.#enqueue(() => {
      const losses = Float32Array.from(this.#losses);
      this.#losses.length = 0;
      return losses;
    });
  }

  delta(): Promise<Float32Array> {
    return this.#onTraining((replica) => replica.delta());
  }

  extract(codec: Codec): Promise<Uint8Array<ArrayBuffer>> {
    return this.#onTraining((replica) => replica.extract(codec));
  }

  adjustResidual(factor: number, plus?: Float32Array): Promise<void> {
    return this.#onTraining((replica) => replica.adjustResidual(factor, plus));
  }

  carried(): Promise<Carried> {
    return this.#onTraining((replica) => {
      return { ...replica.moments(), step: this.#step, residual: replica.residual.slice() };
    });
  }

  vector(which: "m" | "residual"): Promise<Float32Array> {
    return this.#onTraining((replica) => replica[which].slice());
  }

  evaluate(tokens: Uint16Array, batch: number): Promise<number> {
    return this.#enqueue(() => {
      this.#check(tokens, batch);
      return this.#replica.evaluate(tokens, batch) / (batch * this.#options.shape.context);
    });
  }

  logits(tokens: Uint16Array): Promise<Float32Array> {
    return this.onReplica((replica) => {
      checkSequence(this.#options.shape, tokens);
      return replica.logits(tokens);
    });
  }

  /** Has `work` done on this thread's model after all calls before it. */
  onReplica<T>(work: (replica: Replica) => T): Promise<T> {
    return this.#enqueue(() => {
      this.#checkLoaded();
      return work(this.#replica);
    });
  }

  /** Sequences that this thread works on at once. */
  get micro(): number {
    return this.#replica.micro;
  }

  dispose(): void {
    this.#gone ??= new ModelError("device-lost", "the trainer was disposed");
    this.#pool?.close();
    this.#memory = null;
  }

  get #replica(): Replica {
    if (!this.#memory) throw new ModelError("device-lost", "the trainer was disposed");
    return this.#memory;
  }

  #onTraining<T>(work: (replica: Replica) => T): Promise<T> {
    return this.onReplica((replica) => {
      this.#checkTrains();
      return work(replica);
    });
  }

  /** The gradient of the whole batch into this thread's gradients; returns the summed loss. */
  async #backwardTogether(
    pool: WorkerPool,
    tokens: Uint16Array,
    batch: number,
    rows: number,
  ): Promise<number> {
    const shares = sharesOf(batch, 1 + pool.size);
    const { parameters, gradients } = this.#replica;
    const theirs = pool.backward(parameters, gradients, tokens, shares, rows);
    // The pool is at work by now, and adds to the gradients only after this thread has filled them: what
    // comes home waits until this function awaits.
    const mine = this.#replica.backward(tokens, shares[0]!, rows);
    return mine + (await theirs);
  }

  /** Runs `work` after all before it. A worker that is lost takes the trainer with it. */
  #enqueue<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#queue.then(() => {
      if (this.#gone) throw this.#gone;
      return work();
    });
    this.#queue = result.catch((error) => {
      if (error instanceof ModelError && error.code === "device-lost") this.#gone ??= error;
    });
    return result;
  }

  #check(tokens: Uint16Array, batch: number): void {
    checkBatch(this.#options.shape, tokens, batch, this.#options.batch);
    this.#checkLoaded();
  }

  #checkTrains(): void {
    this.#checkLoaded();
    if (this.#options.trains === false) throw new Error("for evaluation only");
  }

  #checkLoaded(): void {
    if (!this.#loaded) throw new ModelError("bad-weights", "no weights were loaded");
  }
}
