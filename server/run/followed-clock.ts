/** Milliseconds for which the clock goes on after it was last heard of: a server that was leading may be no more. */
const MAX_ALONE_MS = 3_000;

/** The run clock on a server that does not keep it: the one that leads says the time again and again. */
export class FollowedClock {
  readonly #clock: () => number;
  /** What was heard last, or what the clock stood at then where that was later; and when. */
  #heard: { readonly from: string; readonly at: number; readonly when: number } | undefined;

  /** `clock` is monotonic milliseconds. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Whether it was ever heard of. */
  get known(): boolean {
    return this.#heard !== undefined;
  }

  /**
   * The server `from` says that the run clock is at `at`. News that was long on its way does not set it back; another server
   * does, for its clock is the run's from then on.
   */
  hear(from: string, at: number): void {
    const known = this.#heard?.from === from ? this.now() : 0;
    this.#heard = { from, at: Math.max(at, known), when: this.#clock() };
  }

  /** Whole milliseconds. Stands still where nobody leads, as the run does. */
  now(): number {
    if (this.#heard === undefined) return 0;
    const { at, when } = this.#heard;
    return at + Math.floor(Math.max(0, Math.min(MAX_ALONE_MS, this.#clock() - when)));
  }
}
