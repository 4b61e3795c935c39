import type { WorkFigures } from "../lib/jobs.ts";

/** Counts what becomes of jobs of one kind. */
export class WorkTally {
  readonly #now: () => number;
  #counts: Omit<WorkFigures, "workers"> = { done: 0, left: 0, failures: 0, waitedMs: 0, workedMs: 0 };

  /** `now` tells monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get counts(): Omit<WorkFigures, "workers"> {
    return this.#counts;
  }

  /** A job begins to wait for a worker. */
  begin(): { taken(): void; over(isDone: boolean): void } {
    const asked = this.#now();
    let taken = asked;
    return {
      taken: () => {
        taken = this.#now(); // of several workers the last one did it
      },
      over: (isDone) => {
        const { done, left, waitedMs, workedMs } = this.#counts;
        if (!isDone) this.#counts = { ...this.#counts, left: left + 1 };
        else
          this.#counts = {
            ...this.#counts,
            done: done + 1,
            waitedMs: waitedMs + taken - asked,
            workedMs: workedMs + this.#now() - taken,
          };
      },
    };
  }

  failed(): void {
    this.#counts = { ...this.#counts, failures: this.#counts.failures + 1 };
  }
}
