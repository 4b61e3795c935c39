import { sha256 } from "../../protocol/identity.ts";

/** The loop turns so often before time goes on. */
const TURNS = 3;
/** What another thread is asked to hash in each turn. */
const NOTHING = new Uint8Array();

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
      // A version's hashes are made by other threads. On a busy machine seconds went by here until those had their turn.
      await sha256(NOTHING);
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
