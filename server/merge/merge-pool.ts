import { availableParallelism } from "node:os";
import { type After, later } from "../../model/lib/deadline.ts";
import { workerBeside } from "../lib/worker-file.ts";
import type { MeanHelpers } from "./means.ts";
import { copiedBatches, dealt, FrameMemory, frameBatches } from "./merge-batches.ts";
import { Line, NotMerged } from "./merge-line.ts";
import type { FromMerger, SharedFrame, ToMerger } from "./merge-messages.ts";
import type { MergeJob, Merger } from "./merger.ts";
import { effectiveCount } from "./outer.ts";
import { type MergeRule, normOf, partsFor, type Step, startStep } from "./step.ts";
import { type TurnHelpers, turnAll } from "./turns.ts";
import { sharedVector, sharing, type Vectors } from "./vectors.ts";

/** A {@link Merger} that owns threads. */
export interface ThreadMerger extends Merger {
  /** Ends the threads, unless they merge; the next version starts others. */
  rest(): Promise<void>;
  /** Ends the threads; a version half merged is rejected. */
  close(): Promise<void>;
}

export interface PoolOptions {
  /** How many; absent: {@link threadsFor} a model of this size on this machine. */
  readonly threads?: number;
  /** For tests: the program of a thread. */
  readonly file?: URL;
  readonly after?: After;
  /** Others that merge too, where there are any. */
  readonly helpers?: () => (TurnHelpers & MeanHelpers) | undefined;
  /** Told of each round of work the processor time that every thread took for its share. */
  readonly observe?: (work: ToMerger["type"], ms: readonly number[]) => void;
}

/** Parameters that a thread is worth starting for: below it the trips between threads take as long as the work. */
const MIN_SHARE = 2_000_000;
const MAX_THREADS = 8;

/** One core is left to the thread that takes deltas. */
export const threadsFor = (parameters: number, cores: number): number =>
  Math.max(1, Math.min(MAX_THREADS, cores - 1, Math.floor(parameters / MIN_SHARE)));

/** The program of a merging thread. */
export const MERGE_WORKER = workerBeside(import.meta.url, "merge-worker");

/**
 * Merges in worker threads, so that the event loop goes on taking deltas while a large model's matrices are turned. They
 * work on vectors in memory that they share, each on its own part of them, and matrix by matrix. They read the journal
 * themselves. When one has failed or hangs, all are replaced at the next job, which merges the same frames again.
 */
export function mergeInPool(options: PoolOptions = {}): ThreadMerger {
  let pool: Pool | undefined;
  let closed = false;
  let merging = false;

  const end = async () => {
    const ending = pool;
    pool = undefined;
    await ending?.end();
  };

  return {
    async merge({ orthogonalize: _, ...rule }, job) {
      if (closed) throw new NotMerged("the merging threads are closed");
      pool ??= new Pool(options, job.vectors.x.length);
      merging = true;
      try {
        return await pool.merge(rule, job);
      } catch (error) {
        void end(); // a thread that hangs may take long to end, too
        throw error;
      } finally {
        merging = false;
      }
    },
    rest: async () => {
      if (!merging) await end();
    },
    async close() {
      closed = true;
      await end();
    },
  };
}

const shared = (bytes: number) => new SharedArrayBuffer(bytes);

type Rule = Omit<MergeRule, "orthogonalize">;

/** What weights are divided by. */
function totalOf(rule: Rule, weights: readonly number[]): number {
  const total = rule.total ?? weights.reduce((sum, weight) => sum + weight, 0);
  if (!(total > 0)) throw new RangeError("a mean needs a positive weight");
  return total;
}

/** Threads with their memory: x as it was after the last version, and vectors of versions before it, to be used again. */
class Pool {
  readonly #lines: readonly Line[];
  readonly #observe: PoolOptions["observe"];
  readonly #helpers: PoolOptions["helpers"];
  readonly #after: After;
  readonly #frames = new FrameMemory();
  #last: { readonly vectors: Vectors; readonly x: Float32Array } | undefined;
  /**
   * Used again and not left to be collected: each thread would hold its own view of them until its heap happens to be looked through, and what
   * is shared counts for nothing there.
   */
  #unused: Float32Array[] = [];

  constructor({ threads, file = MERGE_WORKER, after, observe, helpers }: PoolOptions, parameters: number) {
    this.#helpers = helpers;
    this.#after = after ?? later;
    const count = threads ?? threadsFor(parameters, availableParallelism());
    this.#lines = Array.from({ length: count }, () => new Line(file, after));
    this.#observe = observe;
  }

  async merge(rule: Rule, job: MergeJob) {
    for (const line of this.#lines) line.hold(true);
    const { vectors, weights, head } = job;
    const before = { theta: sharing(vectors.theta), momentum: sharing(vectors.momentum) };
    const step = startStep(rule, before, this.#next(rule, job, before), shared);
    this.#last = undefined; // until this version is made, x is neither the old nor the new one
    const parts = partsFor(this.#lines.length, vectors.x.length);
    await this.#all("begin", (i) => ({ type: "begin", rule, step, part: parts[i]! }));
    await this.#mean(rule, step, job);
    await this.#all("gather", () => ({ type: "gather" }));
    if (rule.outer.kind === "muon") await this.#turn(rule, step);
    const deltas = effectiveCount(weights);
    await this.#all("finish", () => ({ type: "finish", deltas }));
    const [copied] = await this.#all("copy", (i) => (i === 0 ? { type: "copy", head } : undefined));
    if (copied?.type !== "copied") throw new NotMerged(`a merging thread answered "${copied?.type}"`);
    const { theta, momentum, x } = step.next;
    const { diff, model } = copied;
    const made = { diff, ...(model !== undefined && { model }), norm: normOf(step) };
    const merged = { vectors: { x: copied.x, theta, momentum }, ...made };
    this.#last = { vectors: merged.vectors, x };
    this.#unused.push(...[before.theta, before.momentum].filter((one) => one !== theta && one !== momentum));
    for (const line of this.#lines) line.hold(false);
    return merged;
  }

  /** Memory of the next version: that of versions before the last, where nobody needs it any more. */
  #next({ outer }: Rule, { vectors, storing }: MergeJob, before: Step["before"]): Step["next"] {
    const last = this.#last?.vectors === vectors ? this.#last : undefined;
    if (last === undefined) this.#unused = [];
    const vector = () => {
      const at = this.#unused.findIndex((one) => one !== storing?.theta && one !== storing?.momentum);
      return at < 0 ? sharedVector(vectors.x.length) : this.#unused.splice(at, 1)[0]!;
    };
    return {
      x: last?.x ?? sharing(vectors.x),
      theta: vector(),
      momentum: outer.kind === "average" ? before.momentum : vector(), // which plain averaging leaves as it is
    };
  }

  /** The mean, by others where it is worth their while. What is checked is made here, and compared. */
  async #mean(rule: Rule, { next }: Step, job: MergeJob): Promise<void> {
    const { weights, away } = job;
    const helpers = this.#helpers?.();
    const total = totalOf(rule, weights);
    const shares = weights.map((weight) => weight / total);
    const made = away && (await helpers?.mean({ ...away, shares }, next.theta.length));
    if (made === undefined || made.checked) await this.#add(rule, job);
    for (const { from, values, who } of made?.parts ?? []) {
      const own = next.theta.subarray(from, from + values.length);
      if (!made?.checked) own.set(values);
      else if (values.some((value, i) => !Object.is(value, own[i]))) helpers?.distrust(who);
    }
  }

  async #add(rule: Rule, { weights, places, frames }: MergeJob): Promise<void> {
    const total = totalOf(rule, weights);
    let position = 0;
    const batches = places === undefined ? copiedBatches(frames, this.#frames) : this.#read(places);
    for await (const batch of batches) {
      const shares = batch.places.map((place): SharedFrame => {
        return { ...place, share: weights[position++]! / total };
      });
      await this.#all("add", () => ({ type: "add", memory: batch.memory, frames: shares }));
    }
  }

  /** The frames, read by the threads: on their way through the thread that takes deltas they would cost that more. */
  async *#read(places: NonNullable<MergeJob["places"]>) {
    for (const { bytes, blocks, order } of frameBatches(places)) {
      const memory = this.#frames.of(bytes);
      const hands = dealt(blocks, this.#lines.length);
      const answers = await this.#all("read", (i) => ({
        type: "read",
        memory,
        blocks: hands[i]!.map((block) => blocks[block]!),
      }));
      const found = new Map(
        answers.flatMap((answer, i) =>
          answer?.type === "read" ? answer.frames.map((frames, j) => [hands[i]![j]!, frames] as const) : [],
        ),
      );
      yield { memory, places: order.map(({ block, record }) => found.get(block)![record]!) };
    }
  }

  /** The matrices, each by the next thread that has nothing to do, or by a helper. */
  async #turn({ matrices }: Rule, { next }: Step): Promise<void> {
    const helpers = this.#helpers?.();
    const ms = this.#lines.map(() => 0);
    const valuesOf = (matrix: number) => {
      const { offset, rows, columns } = matrices[matrix]!;
      return next.theta.subarray(offset, offset + rows * columns);
    };
    await turnAll({
      sizes: matrices.map(({ rows, columns }) => rows * columns),
      here: this.#lines.map((line, i) => async (matrix) => {
        ms[i]! += (await line.ask({ type: "turn", matrix })).ms;
      }),
      elsewhere: helpers?.merges ?? 0,
      away: async (matrix) => {
        const { rows, columns } = matrices[matrix]!;
        return helpers?.turn(new Float32Array(valuesOf(matrix)), rows, columns);
      },
      valuesOf,
      distrust: (who) => helpers?.distrust(who),
      ...{ now: () => performance.now(), after: this.#after },
    });
    this.#observe?.("turn", ms);
  }

  /** One round of work: every thread's share of it, or nothing. */
  async #all<T extends ToMerger["type"]>(
    work: T,
    shareOf: (thread: number) => Extract<ToMerger, { type: T }> | undefined,
  ): Promise<readonly (Exclude<FromMerger, { type: "failed" }> | undefined)[]> {
    const answers = await Promise.all(
      this.#lines.map((line, i) => {
        const share = shareOf(i);
        return share && line.ask(share);
      }),
    );
    this.#observe?.(
      work,
      answers.map((answer) => answer?.ms ?? 0),
    );
    return answers;
  }

  async end(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.end()));
  }
}
