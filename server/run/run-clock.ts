/** The run clock: it stands while the server is down and knows no wall clock. */
export class RunClock {
  readonly #clock: () => number;
  readonly #startedAt: number;
  #base: number;

  /** `clock` is monotonic milliseconds; `base` is the run clock's time at the journal's last event. */
  constructor(clock: () => number, base: number) {
    this.#clock = clock;
    this.#startedAt = clock();
    this.#base = base;
  }

  /** Milliseconds since this process opened the run. */
  get up(): number {
    return Math.max(0, this.#clock() - this.#startedAt);
  }

  /** It is at least this late: another server, which kept the clock meanwhile, has said so. */
  reach(at: number): void {
    this.#base += Math.max(0, at - this.now());
  }

  /** Whole milliseconds. */
  now(): number {
    return this.#base + Math.floor(this.up);
  }
}
