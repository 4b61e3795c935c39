/** Answers that may be made again before their time at once, and milliseconds after which there is one more. */
const MAX_EARLY = 10;
const EARLY_MS = 1_000;

/**
 * An answer that costs much to make, for whoever asks: kept for a while, and made again after a change. Whoever changes
 * something again and again so costs one look a second, and until then others see what was.
 */
export class KeptAnswer<T> {
  readonly #forMs: number;
  #kept: { readonly at: number; readonly answer: T } | undefined;
  #changed = false;
  /** Milliseconds saved up for early ones: whole ones, whose sum is exact. */
  #saved = MAX_EARLY * EARLY_MS;
  /** When {@link #saved} was counted. */
  #counted = 0;

  constructor(forMs: number) {
    this.#forMs = forMs;
  }

  /** What is kept is no longer right. */
  changed(): void {
    this.#changed = true;
  }

  /** `now` is monotonic, in milliseconds. */
  get(now: number, make: () => T): T {
    const kept = this.#kept;
    if (kept !== undefined && now - kept.at < this.#forMs && !(this.#changed && this.#mayBeEarly(now)))
      return kept.answer;
    this.#changed = false;
    const answer = make();
    this.#kept = { at: now, answer };
    return answer;
  }

  #mayBeEarly(now: number): boolean {
    this.#saved = Math.min(MAX_EARLY * EARLY_MS, this.#saved + Math.max(0, now - this.#counted));
    this.#counted = now;
    if (this.#saved < EARLY_MS) return false;
    this.#saved -= EARLY_MS;
    return true;
  }
}
