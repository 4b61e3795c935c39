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
  /** Tells the server that leads, if any does, what this one waits for. */
  tell(message: Uint8Array): void;
  /** Hears who tells. Returns the way to hear no more. */
  listen(heard: (message: Uint8Array<ArrayBuffer>) => void): () => void;
}

/** Does a job; what it says goes to whoever asked. Never rejects. */
export type JobWork = (job: Uint8Array<ArrayBuffer>, say: (said: Uint8Array) => void) => Promise<void>;
