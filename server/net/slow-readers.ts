/** A socket's counts of bytes that wait for its reader. */
export interface Outgoing {
  /** Bytes handed to the socket so far, those that wait included. */
  readonly bytesWritten: number;
  /** Bytes of those that the system has not taken yet. */
  readonly writableLength: number;
  destroy(): unknown;
}

export interface ReaderBounds {
  /** Milliseconds that a reader may fall behind {@link readRate} before it is dropped. */
  readonly readMs: number;
  /** Bytes a second that a reader must take while bytes wait for it. */
  readonly readRate: number;
}

interface Progress {
  taken: number;
  /** Milliseconds that are left. */
  patience: number;
}

/**
 * Drops readers that take bytes too slowly. Such a reader holds a connection and the object it asked for, and a timeout
 * on silence never ends it, since a few bytes move now and then. A reader starts with `readMs`; time that bytes wait for
 * it takes some away, and bytes that it takes give some back, never more than `readMs` in all.
 *
 * Progress is seen only when a whole write has left, so large bodies must be written in pieces (http/answer.ts).
 */
export class SlowReaders {
  readonly #bounds: ReaderBounds;
  readonly #now: () => number;
  readonly #readers = new Map<Outgoing, Progress>();
  #looked: number;

  /** `now` is monotonic, in milliseconds. */
  constructor(bounds: ReaderBounds, now: () => number) {
    this.#bounds = bounds;
    this.#now = now;
    this.#looked = now();
  }

  watch(socket: Outgoing): void {
    this.#readers.set(socket, { taken: 0, patience: this.#bounds.readMs });
  }

  forget(socket: Outgoing): void {
    this.#readers.delete(socket);
  }

  /** Looks at every reader, and destroys the sockets of those that are too slow. `maxMs` is the longest that a look accounts for: a process that stood still blames nobody. */
  look(maxMs: number): void {
    const now = this.#now();
    const passed = Math.min(now - this.#looked, maxMs);
    this.#looked = now;
    const { readMs, readRate } = this.#bounds;
    for (const [socket, progress] of this.#readers) {
      const taken = socket.bytesWritten - socket.writableLength;
      const earned = (1_000 * Math.max(0, taken - progress.taken)) / readRate;
      const spent = socket.writableLength > 0 ? passed : 0;
      progress.taken = taken;
      // A socket for which nothing waits has a reader that keeps up.
      progress.patience = spent === 0 ? readMs : Math.min(readMs, progress.patience - spent + earned);
      if (progress.patience <= 0) socket.destroy();
    }
  }
}
