type Job = () => Promise<void>;

/**
 * Audits, one at a time. Those that a roll-back asks for are made by turns with the others: a hundred of them would leave
 * what is sent meanwhile unaudited, which somebody may have provoked the roll-back for.
 */
export class AuditQueue {
  readonly #usual: Job[] = [];
  readonly #inquiry: Job[] = [];
  readonly #failed: (error: unknown) => void;
  #inquiryNext = true;
  #busy = false;
  #stopped = false;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Jobs that wait, except those of a roll-back. */
  get waiting(): number {
    return this.#usual.length;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Before all others, where it is urgent; or for a roll-back. */
  put(job: Job, place: "last" | "first" | "inquiry" = "last"): void {
    if (place === "inquiry") this.#inquiry.push(job);
    else if (place === "last") this.#usual.push(job);
    else {
      this.#usual.unshift(job);
      this.#inquiryNext = false;
    }
    if (!this.#busy) void this.#work();
  }

  /** The same, and its answer; stays unanswered once stopped. */
  ask<T>(question: () => Promise<T>, place?: "first" | "inquiry"): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.put(() => question().then(resolve, reject), place);
    return promise;
  }

  /** Forgets what waits, and takes no failure any more. */
  stop(): void {
    this.#stopped = true;
    this.#usual.length = 0;
    this.#inquiry.length = 0;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await next();
      } catch (error) {
        if (!this.#stopped) this.#failed(error);
      }
    }
    this.#busy = false;
  }

  #next(): Job | undefined {
    const [first, second] = this.#inquiryNext ? [this.#inquiry, this.#usual] : [this.#usual, this.#inquiry];
    this.#inquiryNext = !this.#inquiryNext;
    return first.shift() ?? second.shift();
  }
}
