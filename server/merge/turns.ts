import type { After } from "../../model/lib/deadline.ts";

/** Values of a matrix that is worth the way to another server. */
const MIN_VALUES = 65_536;
/** Milliseconds that threads without work wait at least for what is under way elsewhere, and at most. */
const MIN_WAIT_MS = 250;
const MAX_WAIT_MS = 10_000;

/** A matrix that was turned elsewhere: by whom, and whether to turn it here too and compare. */
export interface TurnedAway {
  readonly values: Float32Array;
  readonly who: string;
  readonly checked: boolean;
}

/** Others that make matrices orthogonal. Whatever they do not do in time is done here. */
export interface TurnHelpers {
  /** How many may be asked at once. */
  readonly merges: number;
  /** Undefined where nobody has done it. `values` are its own from then on. Never rejects. */
  turn(values: Float32Array, rows: number, columns: number): Promise<TurnedAway | undefined>;
  /** The same matrix came out otherwise here. */
  distrust(who: string): void;
}

export interface Turning {
  /** The size of each matrix, in values. */
  readonly sizes: readonly number[];
  /** One for each thread: turns a matrix in place. */
  readonly here: readonly ((matrix: number) => Promise<void>)[];
  readonly elsewhere: number;
  /** The same elsewhere: leaves it in place as it is. */
  readonly away: (matrix: number) => Promise<TurnedAway | undefined>;
  /** A matrix's values, in place. */
  readonly valuesOf: (matrix: number) => Float32Array;
  readonly distrust: (who: string) => void;
  readonly now: () => number;
  readonly after: After;
}

/**
 * Turns all matrices, the largest first, each by the next that has nothing to do: a thread, or somebody elsewhere. What is under way
 * elsewhere when the threads have no work left is waited for as long as all took until then, and then done here: it can make
 * a version wait for no longer than it would have taken without.
 */
export async function turnAll(turning: Turning): Promise<void> {
  const { here, elsewhere } = turning;
  const queue = new TurnQueue(turning);
  const lanes = Array.from({ length: elsewhere }, () => queue.workAway());
  try {
    await Promise.all(here.map((turn) => queue.workHere(turn)));
  } finally {
    queue.end();
  }
  await Promise.all(lanes);
}

class TurnQueue {
  readonly #turning: Turning;
  readonly #began: number;
  #queue: number[];
  /** Under way elsewhere, the longest first. */
  readonly #away = new Set<number>();
  /** Turned elsewhere, to be compared with what comes of it here. */
  readonly #checks = new Map<number, TurnedAway>();
  #changed = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<undefined>();

  constructor(turning: Turning) {
    const { sizes, now } = turning;
    this.#turning = turning;
    this.#began = now();
    this.#queue = [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]!);
  }

  async workHere(turn: (matrix: number) => Promise<void>): Promise<void> {
    for (;;) {
      const matrix = this.#queue.shift();
      if (matrix !== undefined) {
        await turn(matrix);
        this.#compare(matrix);
      } else if (this.#away.size > 0) await this.#wait();
      else return;
    }
  }

  /** Ends with the first that nobody does: another way to the same server would be no quicker. */
  async workAway(): Promise<void> {
    const { sizes, away, valuesOf } = this.#turning;
    await undefined; // the threads take theirs first
    for (;;) {
      const matrix = this.#queue.find((one) => sizes[one]! >= MIN_VALUES && !this.#checks.has(one));
      if (matrix === undefined) return;
      this.#queue = this.#queue.filter((one) => one !== matrix);
      this.#away.add(matrix);
      const found = await Promise.race([away(matrix), this.#ended.promise]);
      if (!this.#away.delete(matrix)) return; // it was taken back
      if (found !== undefined && !found.checked) valuesOf(matrix).set(found.values);
      else {
        if (found !== undefined) this.#checks.set(matrix, found);
        this.#queue.unshift(matrix);
      }
      this.#wake();
      if (found === undefined) return;
    }
  }

  /** Nothing that comes from elsewhere is taken any more. */
  end(): void {
    this.#away.clear();
    this.#ended.resolve(undefined);
  }

  /** Until something changes elsewhere; then, or when that takes too long, there is work again. */
  async #wait(): Promise<void> {
    const { now, after } = this.#turning;
    const wait = Math.max(MIN_WAIT_MS, Math.min(MAX_WAIT_MS, now() - this.#began));
    const late = Promise.withResolvers<"late">();
    const cancel = after(wait, () => late.resolve("late"));
    const came = await Promise.race([this.#changed.promise, late.promise]);
    cancel();
    if (came !== "late" || this.#queue.length > 0) return;
    const [oldest] = this.#away;
    if (oldest === undefined) return;
    this.#away.delete(oldest);
    this.#queue.push(oldest);
  }

  #compare(matrix: number): void {
    const check = this.#checks.get(matrix);
    const values = this.#turning.valuesOf(matrix);
    if (check?.values.some((value, i) => !Object.is(value, values[i]))) this.#turning.distrust(check.who);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
