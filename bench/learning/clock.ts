import { Heap } from "../lib/heap.ts";

/** What happens when its time has come. */
type Happening = () => void | Promise<void>;

/**
 * Virtual time in milliseconds: happenings take place in order of time, and of being asked for where times
 * are equal, each finished before the next begins. So a simulation of hours takes as long as its computing,
 * and the same one comes out the same.
 */
export class VirtualClock {
  #now = 0;
  readonly #later = new Heap<Happening>();

  get now(): number {
    return this.#now;
  }

  /** Lets something happen `delay` ms from now. */
  after(delay: number, happen: Happening): void {
    if (!(delay >= 0)) throw new RangeError(`a delay of ${delay} ms`);
    this.#later.push(this.#now + delay, happen);
  }

  /** Runs until `done` says so or nothing is left to happen. */
  async run(done: () => boolean): Promise<void> {
    while (!done()) {
      const next = this.#later.pop();
      if (next === undefined) return;
      this.#now = next.at;
      await next.what();
    }
  }
}
