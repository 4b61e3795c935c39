/** What happens when its time has come. */
type Happening = () => void | Promise<void>;

/**
 * Virtual time in milliseconds: happenings take place in order of time, and of being asked for where times
 * are equal, each finished before the next begins. So a simulation of hours takes as long as its computing,
 * and the same one comes out the same.
 */
export class VirtualClock {
  #now = 0;
  #asked = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: { readonly at: number; readonly order: number; readonly happen: Happening }[] = [];

  get now(): number {
    return this.#now;
  }

  /** Lets something happen `delay` ms from now. */
  after(delay: number, happen: Happening): void {
    if (!(delay >= 0)) throw new RangeError(`a delay of ${delay} ms`);
    const heap = this.#heap;
    heap.push({ at: this.#now + delay, order: this.#asked++, happen });
    for (let child = heap.length - 1; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  /** A promise of the time `delay` ms from now. */
  sleep(delay: number): Promise<void> {
    return new Promise((resolve) => this.after(delay, resolve));
  }

  /** Runs until `done` says so or nothing is left to happen. */
  async run(done: () => boolean): Promise<void> {
    while (!done()) {
      const next = this.#take();
      if (next === undefined) return;
      this.#now = next.at;
      await next.happen();
    }
  }

  #take() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    for (let parent = 0; ; ) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && this.#before(child, least)) least = child;
      }
      if (least === parent) return first;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #before(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a]!, this.#heap[b]!];
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
