/** Timers that go off when the test says that time passes. */
export class ManualTimer {
  readonly #waiting = new Set<{ readonly at: number; readonly callback: () => void }>();
  #now = 0;

  /** How many were ever set. */
  count = 0;

  readonly after = (ms: number, callback: () => void): (() => void) => {
    this.count++;
    const one = { at: this.#now + ms, callback };
    this.#waiting.add(one);
    return () => this.#waiting.delete(one);
  };

  /** Time passes, and each timer goes off at its time. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = [...this.#waiting].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      this.#waiting.delete(next);
      next.callback();
    }
    this.#now = end;
  }

  /** The process stood still: only what was due in the meantime goes off, once, after it. */
  jump(ms: number): void {
    this.#now += ms;
    for (const one of [...this.#waiting].filter(({ at }) => at <= this.#now)) {
      this.#waiting.delete(one);
      one.callback();
    }
  }
}
