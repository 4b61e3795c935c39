/** A thread that can be ended between two pieces of work: the next piece starts another. */
export interface RestingThread {
  /** Ends the thread, unless it works. */
  rest(): Promise<void>;
}

export interface PoolSize {
  /** Threads that work at once. */
  readonly working: number;
  /** Threads that are kept for their next piece of work. */
  readonly idle: number;
}

interface Waiting {
  readonly owner: object;
  readonly begin: () => void;
}

/**
 * Shares few threads among many owners, each with a thread of its own that has its own data. So many work at once; of
 * those that wait, the owner goes first whose last piece of work began longest ago, so that one with much to do delays
 * another by a piece, and not by all that it has. Of threads without work the ones used last are kept.
 */
export class ThreadPool {
  readonly #size: PoolSize;
  readonly #waiting: Waiting[] = [];
  /** When each owner's last piece of work began, in pieces. */
  readonly #began = new WeakMap<object, number>();
  /** The one used last stands last. */
  readonly #idle = new Set<RestingThread>();
  #pieces = 0;
  #working = 0;

  constructor(size: PoolSize) {
    this.#size = size;
  }

  /** Pieces of work that wait for a thread. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Does a piece of work on `thread`, which is its owner's, when it is the owner's turn. */
  async run<T>(thread: RestingThread, work: () => Promise<T>): Promise<T> {
    await this.#turn(thread);
    this.#idle.delete(thread);
    this.#began.set(thread, ++this.#pieces);
    try {
      return await work();
    } finally {
      this.#idle.add(thread);
      this.#endOldest();
      this.#working--;
      this.#next();
    }
  }

  #endOldest(): void {
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#size.idle) return;
      this.#idle.delete(oldest);
      void oldest.rest();
    }
  }

  #turn(owner: object): Promise<void> {
    return new Promise((begin) => {
      this.#waiting.push({ owner, begin });
      this.#next();
    });
  }

  #next(): void {
    if (this.#working >= this.#size.working) return;
    const [first, ...others] = this.#waiting;
    if (first === undefined) return;
    const ageOf = ({ owner }: Waiting) => this.#began.get(owner) ?? 0;
    const next = others.reduce((best, one) => (ageOf(one) < ageOf(best) ? one : best), first);
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    this.#working++;
    next.begin();
  }
}
