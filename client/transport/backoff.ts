/**
 * How long to wait before the next try: exponential with full jitter (Brooker, "Exponential backoff and
 * jitter", AWS 2015), so that volunteers a restart threw out do not come back together.
 */
export class Backoff {
  readonly #random: () => number;
  readonly #base: number;
  readonly #cap: number;
  #tries = 0;

  /** `random` gives a number from 0 to 1; `base` and `cap` are the first and the largest ceiling in ms. */
  constructor(random: () => number, base = 1_000, cap = 30_000) {
    this.#random = random;
    this.#base = base;
    this.#cap = cap;
  }

  /** Milliseconds until the next try: from {@link FLOOR_MS} to the growing ceiling, never less than `least`. */
  next(least = 0): number {
    const ceiling = Math.min(this.#cap, this.#base * 2 ** Math.min(this.#tries++, 30));
    return Math.round(least + Math.max(FLOOR_MS, this.#random() * ceiling));
  }

  /** A try succeeded: the next failure starts small again. */
  reset(): void {
    this.#tries = 0;
  }
}

/** Milliseconds of the shortest wait: even the luckiest draw is no busy loop. */
export const FLOOR_MS = 100;
