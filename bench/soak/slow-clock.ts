/** The loop turns so often before time goes on: signatures are made by other threads. */
const TURNS = 3;

/** A clock that goes on only while nobody works: what takes long to compute takes no time. */
export class SlowClock {
  now = 0;
  #working = 0;
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  /** Time stands still until the work is done. */
  async busy<T>(work: () => Promise<T>): Promise<T> {
    this.#working += 1;
    try {
      return await work();
    } finally {
      this.#working -= 1;
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ at: this.now + ms, wake }));
  }

  /** Lets `ms` pass as soon as nobody works, and wakes whose time has come. */
  async pass(ms: number): Promise<void> {
    for (let turn = 0; turn < TURNS || this.#working > 0; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.now += ms;
    const due = this.#sleepers.filter(({ at }) => at <= this.now);
    for (const sleeper of due) {
      this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
      sleeper.wake();
    }
  }
}
