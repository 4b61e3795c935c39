import type { Kernel } from "./kernels/kernel.ts";

/** What kernels reach on an adapter: theirs, not the chip's, which is some ten times more. */
export interface Rates {
  /** FLOP a second. */
  readonly flops: number;
  /** Bytes a second. */
  readonly bytes: number;
  /** Milliseconds that a dispatch costs, however little it does. */
  readonly dispatch: number;
}

/**
 * The slowest adapters that are accepted. 20 GFLOP/s is a twentieth of an old laptop's integrated GPU (0.4 TFLOP/s), on
 * which attention was estimated to reach a fiftieth and products a fifth; software adapters do 1 to 3 GFLOP/s a core.
 */
export const SLOWEST = {
  hardware: { flops: 20e9, bytes: 8e9, dispatch: 0.02 },
  software: { flops: 2e9, bytes: 1e9, dispatch: 0.3 },
} as const satisfies Record<string, Rates>;

export const slowestOf = ({ software }: { readonly software: boolean }): Rates =>
  software ? SLOWEST.software : SLOWEST.hardware;

/** Milliseconds that a submit may take: two frames of a page that shares the GPU, and far from any watchdog's 2 s. */
export const MAX_SUBMIT_MS = 30;

/** Milliseconds of the same on a software adapter, which draws no page and has no watchdog, and where a submit costs more. */
export const MAX_SOFTWARE_SUBMIT_MS = 500;

/** How much longer arithmetic takes that reads one value at a time. */
const SCALAR_SLOWDOWN = 5;

/** Measurements that count: the last ones, since a machine heats up and is shared. */
const MAX_MEASURED = 8;

/** Milliseconds that a dispatch takes, within a factor of some four. */
export function estimate({ work, unit }: Pick<Kernel, "work" | "unit">, rates: Rates): number {
  const arithmetic = (work.flops * (unit === 1 ? SCALAR_SLOWDOWN : 1)) / rates.flops;
  return rates.dispatch + 1_000 * Math.max(arithmetic, work.bytes / rates.bytes);
}

/** How an adapter's times relate to their estimates, and so how much of an estimate fits a submit. */
export class Pace {
  readonly #most: number;
  readonly #measured: { readonly estimated: number; readonly took: number }[] = [];

  /** `most` milliseconds make a submit. */
  constructor(most = MAX_SUBMIT_MS) {
    this.#most = most;
  }

  /** Whether anything was measured. Until then estimates are taken as they are. */
  get known(): boolean {
    return this.#measured.length > 0;
  }

  /** Milliseconds that work of `estimated` milliseconds really takes. */
  expect(estimated: number): number {
    return estimated * this.#factor;
  }

  /** Estimated milliseconds that make a submit. */
  get budget(): number {
    return this.#most / this.#factor;
  }

  /** Work of `estimated` milliseconds took `took`. */
  note(estimated: number, took: number): void {
    if (estimated > 0) this.#measured.push({ estimated, took });
    if (this.#measured.length > MAX_MEASURED) this.#measured.shift();
  }

  /** Of sums, not of quotients: a browser may say late, of several at once, that they are done: some of the times are then 0. */
  get #factor(): number {
    if (!this.known) return 1;
    const sum = (of: "estimated" | "took") => this.#measured.reduce((total, one) => total + one[of], 0);
    return Math.max(sum("took"), MIN_MS) / sum("estimated");
  }
}

/** Milliseconds: clocks of browsers are coarse, and no device does all of {@link MAX_MEASURED} in less. */
const MIN_MS = 0.1;

/**
 * Where the submit that begins with dispatch `from` ends: behind as many as the budget holds, and behind at least one.
 * `costs` and `budget` are estimated milliseconds.
 */
export function endOfSubmit(costs: readonly number[], from: number, budget: number): number {
  let end = from;
  let spent = 0;
  do spent += costs[end++]!;
  while (end < costs.length && spent + costs[end]! <= budget);
  return end;
}
