import { ModelError } from "../../contract/config.ts";
import { withDeadline } from "../../lib/deadline.ts";
import type { GradientOptions } from "./gradient-replica.ts";
import { type Port, spawn } from "./port.ts";

/** Messages from the trainer's thread to a worker. */
export type ToWorker =
  | { readonly type: "start"; readonly options: GradientOptions; readonly fma: boolean }
  /** `buffer` holds the weights and comes back with the gradient. */
  | {
      readonly type: "job";
      readonly buffer: ArrayBuffer;
      readonly tokens: Uint16Array;
      readonly batch: number;
      readonly rows: number;
    };

/** The worker's answers. */
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly reason: string }
  | { readonly type: "done"; readonly buffer: ArrayBuffer; readonly loss: number };

/** Milliseconds a thread has to start; the pool then goes without it. */
const START_MS = 15_000;

/**
 * Threads that each compute the gradient of their share of a batch. One buffer a worker travels back and
 * forth, carrying weights out and gradients home: as fast as shared memory, without cross-origin isolation.
 */
export class WorkerPool {
  readonly #workers: readonly PoolWorker[];

  /** Starts `size` workers. Rejects with `device-unavailable` when one cannot. */
  static async start(
    size: number,
    options: GradientOptions,
    fma: boolean,
    length: number,
  ): Promise<WorkerPool> {
    const workers: PoolWorker[] = [];
    try {
      for (let i = 0; i < size; i++) workers.push(new PoolWorker(length));
      const started = workers.map((worker) => worker.ask({ type: "start", options, fma }, []));
      await withDeadline(Promise.all(started), START_MS, "a thread");
      return new WorkerPool(workers);
    } catch (error) {
      for (const worker of workers) worker.close();
      throw new ModelError("device-unavailable", `no threads: ${error}`);
    }
  }

  private constructor(workers: readonly PoolWorker[]) {
    this.#workers = workers;
  }

  get size(): number {
    return this.#workers.length;
  }

  /**
   * Has the workers compute the gradient of sequences `shares[0]` and on, `shares[i + 1]` of them by worker i.
   * The promise adds their gradients to `gradients`, always in the same order, and resolves to their summed
   * loss. Rejects with `device-lost` when a worker is gone. `gradients` must not be read before it resolves.
   */
  async backward(
    parameters: Float32Array,
    gradients: Float32Array,
    tokens: Uint16Array,
    shares: readonly number[],
    rows: number,
  ): Promise<number> {
    const stride = (tokens.length / shares.reduce((sum, share) => sum + share)) | 0;
    let first = shares[0]!;
    const jobs = this.#workers.map((worker, i) => {
      const batch = shares[i + 1]!;
      if (batch === 0) return null;
      const part = tokens.slice(first * stride, (first + batch) * stride);
      first += batch;
      return worker.backward(parameters, part, batch, rows);
    });
    let loss = 0;
    for (const done of await Promise.all(jobs)) {
      if (done === null) continue;
      const part = new Float32Array(done.buffer);
      for (let i = 0; i < part.length; i++) gradients[i]! += part[i]!;
      loss += done.loss;
    }
    return loss;
  }

  close(): void {
    for (const worker of this.#workers) worker.close();
  }
}

/** Divides a batch as evenly as it goes, the larger parts first. */
export function sharesOf(batch: number, threads: number): number[] {
  return Array.from({ length: threads }, (_, i) => Math.floor((batch + threads - 1 - i) / threads));
}

/** One worker and the buffer that travels. */
class PoolWorker {
  readonly #port: Port;
  #buffer: ArrayBuffer;
  #gone: Error | null = null;
  #waiting: { resolve: (answer: FromWorker) => void; reject: (error: Error) => void } | null = null;

  constructor(length: number) {
    this.#buffer = new ArrayBuffer(length * 4);
    this.#port = spawn();
    this.#port.listen(
      (message) => this.#hear(message as FromWorker), // from our own worker.ts
      (reason) => this.#lose(reason),
    );
  }

  /** Sends an order; resolves with its answer. */
  ask(order: ToWorker, transfer: readonly ArrayBuffer[]): Promise<FromWorker> {
    if (this.#gone) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#port.post(order, transfer);
    });
  }

  async backward(parameters: Float32Array, tokens: Uint16Array, batch: number, rows: number) {
    const buffer = this.#buffer;
    new Float32Array(buffer).set(parameters);
    const answer = await this.ask({ type: "job", buffer, tokens, batch, rows }, [buffer]);
    if (answer.type !== "done") throw new ModelError("device-wrong", `a worker answered ${answer.type}`);
    this.#buffer = answer.buffer;
    return answer;
  }

  close(): void {
    this.#lose("the trainer was disposed");
    this.#port.close();
  }

  #hear(answer: FromWorker): void {
    if (answer.type === "failed") this.#lose(answer.reason);
    else this.#waiting?.resolve(answer);
    this.#waiting = null;
  }

  #lose(reason: string): void {
    this.#gone ??= new ModelError("device-lost", reason);
    this.#waiting?.reject(this.#gone);
    this.#waiting = null;
  }
}
