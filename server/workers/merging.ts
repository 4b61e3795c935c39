import { bytesOf } from "../../protocol/bytes.ts";
import { checkFrame } from "../../protocol/frame.ts";
import { parseJson } from "../../protocol/guards.ts";
import { meanOf } from "../merge/means.ts";
import type { Task } from "../run/options.ts";
import type { ClusterStore } from "../store/followed-store.ts";
import { frameOf } from "../store/record-parts.ts";
import { decodeMean } from "./mean-job.ts";
import { fetchPieces, servePieces } from "./pieces.ts";
import { decodeTurn, encodeTurned } from "./turn-job.ts";
import type { TurnThread } from "./turn-thread.ts";

/** Answers that wait to be fetched: who asks for the next has fetched the one before. */
const MAX_SERVED = 4;

export interface MergingParts {
  readonly store: Pick<ClusterStore, "jobs" | "length" | "read" | "refresh">;
  readonly task: Pick<Task, "parameters" | "matrices">;
  readonly turner: Pick<TurnThread, "turn">;
}

/** A worker's part of merges: matrices, whose values it is sent, and parts of means, whose frames it reads in the journal. */
export class Merging {
  readonly #parts: MergingParts;
  /** Ends of what is offered to be fetched, the oldest first. */
  readonly #served: (() => void)[] = [];

  constructor(parts: MergingParts) {
    this.#parts = parts;
  }

  /** Answers with an address, where the result stays until a few more are done. */
  async work(job: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    const values = await ("records" in parseJson(job) ? this.#mean(job) : this.#turn(job));
    const served = servePieces(this.#parts.store.jobs, new Uint8Array(bytesOf(values)));
    this.#served.push(served.stop);
    if (this.#served.length > MAX_SERVED) this.#served.shift()?.();
    return encodeTurned(served.address);
  }

  stop(): void {
    for (const stop of this.#served) stop();
  }

  async #turn(job: Uint8Array<ArrayBuffer>): Promise<Float32Array> {
    const { store, task, turner } = this.#parts;
    const { rows, columns, address } = decodeTurn(job);
    const isOurs = task.matrices.some((one) => one.rows === rows && one.columns === columns);
    if (!isOurs) throw new RangeError("the run's model has no such matrix");
    const bytes = await fetchPieces(store.jobs, address, 4 * rows * columns);
    const values = new Float32Array(new SharedArrayBuffer(bytes.length));
    values.set(new Float32Array(bytes.buffer));
    await turner.turn(values, rows, columns);
    return values;
  }

  async #mean(job: Uint8Array<ArrayBuffer>): Promise<Float32Array> {
    const { store, task } = this.#parts;
    const order = decodeMean(job, task.parameters);
    if (order.records.some((record) => record >= store.length)) await store.refresh();
    return meanOf(this.#frames(order.records), order, task.parameters);
  }

  async *#frames(records: readonly number[]) {
    const { store, task } = this.#parts;
    for (const record of records) {
      const frame = frameOf(await store.read(record));
      checkFrame(frame, task.parameters);
      yield frame;
    }
  }
}
