/**
 * Work that a run's servers do for the one that leads it, as messages that nobody stores. A kind of job is a name that only
 * those listen to who come to the same bytes.
 */
export interface JobLine {
  /** Bytes of a message at most. */
  readonly maxBytes: number;
  /**
   * Sends a job to one of those who wait for its kind, and hears what is said of it: "nobody" where none waits. Returns the
   * way to hear no more.
   */
  ask(kind: string, job: Uint8Array, heard: (said: Uint8Array<ArrayBuffer> | "nobody") => void): () => void;
  /** Waits for jobs of a kind, and does one at a time: who is at one is sent no other. Returns the way to take no more. */
  take(kind: string, work: JobWork): () => void;
  /**
   * Answers questions of a few bytes at an address of its own, which only those know who hear it from this server. What the
   * handler throws or does not know stays unanswered.
   */
  serve(handler: (question: Uint8Array<ArrayBuffer>) => Uint8Array | undefined): {
    readonly address: string;
    stop(): void;
  };
  /** The answer at an address. Rejects where none comes within this many milliseconds. */
  request(address: string, question: Uint8Array, waitMs: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Tells the server that leads, if any does, what this one waits for. */
  tell(message: Uint8Array): void;
  /** Hears who tells. Returns the way to hear no more. */
  listen(heard: (message: Uint8Array<ArrayBuffer>) => void): () => void;
}

/** Does a job; what it says goes to whoever asked. Never rejects. */
export type JobWork = (job: Uint8Array<ArrayBuffer>, say: (said: Uint8Array) => void) => Promise<void>;

/** What became of one kind of work that workers were asked for, since this server began to ask. */
export interface WorkFigures {
  /** Workers that take it now. */
  readonly workers: number;
  /** Jobs that a worker has done. */
  readonly done: number;
  /** Jobs that none did in time: this server did them, or nobody. */
  readonly left: number;
  /** Times that a worker was late, failed, or answered nonsense. */
  readonly failures: number;
  /** Milliseconds that jobs which were done waited for a worker, and that workers were at them, in all. */
  readonly waitedMs: number;
  readonly workedMs: number;
}
