import { Turns } from "./turns.ts";

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

/**
 * Shares few threads among many owners, each with a thread of its own that has its own data, in fair turns (turns.ts). Of
 * threads without work the ones used last are kept.
 */
export class ThreadPool {
  readonly #most: number;
  readonly #turns: Turns;
  /** The one used last stands last. */
  readonly #idle = new Set<RestingThread>();

  constructor({ working, idle }: PoolSize) {
    this.#turns = new Turns(working);
    this.#most = idle;
  }

  /** Does a piece of work on `thread`, which is its owner's, when it is the owner's turn. */
  run<T>(thread: RestingThread, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(thread, async () => {
      this.#idle.delete(thread);
      try {
        return await work();
      } finally {
        this.#idle.add(thread);
        this.#endOldest();
      }
    });
  }

  #endOldest(): void {
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#most) return;
      this.#idle.delete(oldest);
      void oldest.rest();
    }
  }
}
