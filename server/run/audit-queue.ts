import type { Purse } from "../trust/budget.ts";

type Job = () => Promise<void>;

/**
 * Audits, one at a time, or as many as there is somebody for. Those that a roll-back asks for are made by turns with the others: a hundred of them would leave
 * what is sent meanwhile unaudited, which somebody may have provoked the roll-back for.
 */
export class AuditQueue {
  readonly #usual: Job[] = [];
  readonly #inquiry: Job[] = [];
  readonly #failed: (error: unknown) => void;
  readonly #atOnce: () => number;
  #inquiryNext = true;
  #busy = 0;
  #stopped = false;

  /** `atOnce`: how many may be under way. */
  constructor(failed: (error: unknown) => void, atOnce: () => number = () => 1) {
    this.#failed = failed;
    this.#atOnce = atOnce;
  }

  /** Jobs that wait, except those of a roll-back. */
  get waiting(): number {
    return this.#usual.length;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** A purse that pays nothing once the audits are stopped. */
  open(purse: Purse): Purse {
    return { ...purse, pay: (looks, owing) => !this.#stopped && purse.pay(looks, owing) };
  }

  /** Before all others, where it is urgent; or for a roll-back. */
  put(job: Job, place: "last" | "first" | "inquiry" = "last"): void {
    if (place === "inquiry") this.#inquiry.push(job);
    else if (place === "last") this.#usual.push(job);
    else {
      this.#usual.unshift(job);
      this.#inquiryNext = false;
    }
    while (this.#busy < this.#atOnce() && this.#usual.length + this.#inquiry.length > 0) void this.#work();
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
    this.#busy++;
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      try {
        await next();
      } catch (error) {
        if (!this.#stopped) this.#failed(error);
      }
      if (this.#busy > this.#atOnce()) break; // another goes on
    }
    this.#busy--;
  }

  #next(): Job | undefined {
    const [first, second] = this.#inquiryNext ? [this.#inquiry, this.#usual] : [this.#usual, this.#inquiry];
    this.#inquiryNext = !this.#inquiryNext;
    return first.shift() ?? second.shift();
  }
}
