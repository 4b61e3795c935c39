import { type After, afterAwake } from "../../model/lib/deadline.ts";

/** Milliseconds of silence after which a worker thread hangs: it reports between two pieces of its work. */
export const SILENCE_MS = 10 * 60_000;

/** Operations a second that a machine has left for a worker at the least: an old board computer that is busy. */
const MIN_FLOPS = 250e6;
/** Operations for each weight and each token of a training step, forwards and backwards (Kaplan et al. 2020). */
const STEP_FLOPS = 6;

/** Milliseconds of silence that are too long where the largest piece of work is a step on this many tokens. */
export const silenceFor = (parameters: number, tokens: number): number =>
  Math.max(SILENCE_MS, (1_000 * STEP_FLOPS * parameters * tokens) / MIN_FLOPS);

/** Calls back once when nothing was heard for too long. */
export class Watchdog {
  readonly #silent: (ms: number) => void;
  readonly #after: After;
  #ms = 0;
  #cancel: (() => void) | undefined;

  constructor(silent: (ms: number) => void, after: After = later) {
    this.#silent = silent;
    this.#after = after;
  }

  /** Begins to wait for this many milliseconds, from now. */
  start(ms: number): void {
    this.stop();
    this.#ms = ms;
    const silent = () => {
      this.#cancel = undefined;
      this.#silent(ms);
    };
    this.#cancel = afterAwake(ms, silent, this.#after);
  }

  /** Something was heard: the wait begins again, if there is one. */
  heard(): void {
    if (this.#cancel !== undefined) this.start(this.#ms);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

const later: After = (ms, callback) => {
  const timer = setTimeout(callback, ms).unref();
  return () => clearTimeout(timer);
};
