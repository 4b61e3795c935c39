import { isRetryable, ProtocolError } from "../../protocol/errors.ts";
import type { Intermediary } from "../../protocol/intermediary.ts";
import { ServerAway, WrongBytes } from "../transport/away.ts";
import { Backoff } from "../transport/backoff.ts";

/** A wait before the next try, and the intermediary that answered in the server's place, if known. */
export interface Wait {
  readonly ms: number;
  readonly why: Intermediary | undefined;
}

/** Which failures pass, and how long to wait before the next try: all of the loop's retries ask here. */
export class RetryPolicy {
  readonly #backoff: Backoff;

  constructor(random: () => number) {
    this.#backoff = new Backoff(random);
  }

  /** Something succeeded: the next wait is short again. */
  reset(): void {
    this.#backoff.reset();
  }

  /** The wait before the next try, at least `least` milliseconds. */
  next(least = 0): number {
    return this.#backoff.next(least);
  }

  /**
   * The wait after `error`: a server that is away, or a refusal that passes. Throws `error` where waiting does not cure
   * it. `again` says whether the same bytes are sent again or a fresh request.
   */
  after(error: unknown, again: "same" | "fresh"): Wait {
    if (error instanceof ServerAway) return { ms: this.next(), why: error.why };
    if (error instanceof WrongBytes) return { ms: this.next(), why: undefined };
    if (!(error instanceof ProtocolError && isRetryable(error.code, again))) throw error;
    return { ms: this.next(error.retryAfterMs), why: undefined };
  }
}
