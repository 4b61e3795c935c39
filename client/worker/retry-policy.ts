import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { Intermediary } from "../../protocol/intermediary.ts";
import { ServerAway, WrongBytes } from "../transport/away.ts";
import { Backoff } from "../transport/backoff.ts";
import type { RoundDeps } from "./deps.ts";
import type { Phase } from "./messages.ts";

type Shown = "operator" | "waiting" | "away" | "quarantined";

/** What the visitor is told while a refusal lasts; a code that is not here does not pass by waiting. */
const SHOWN: Partial<Record<ErrorCode, Shown>> = {
  quarantined: "quarantined",
  "run-paused": "operator",
  "no-work": "waiting",
  "no-run": "waiting",
  "too-many-requests": "waiting",
  "not-found": "waiting",
  "nonce-reused": "waiting",
  "server-nonce-expired": "waiting",
  "internal-error": "away",
  "not-durable": "away",
  "no-space": "away",
};

/** Waits out what passes: a server that is away, paused or without work, a version that just went. */
export class RetryPolicy {
  readonly #deps: Pick<RoundDeps, "control" | "sleep" | "events">;
  readonly #backoff: Backoff;

  constructor(deps: Pick<RoundDeps, "control" | "sleep" | "random" | "events">) {
    this.#deps = deps;
    this.#backoff = new Backoff(deps.random);
  }

  /** Something succeeded: the next wait is short again. */
  reset(): void {
    this.#backoff.reset();
  }

  /** Tries until it succeeds or fails for a reason that waiting does not cure. */
  async until<T>(action: () => Promise<T>): Promise<T> {
    for (;;) {
      await this.#deps.control.checkpoint();
      try {
        const result = await action();
        this.reset();
        return result;
      } catch (error) {
        await this.waitOut(error);
      }
    }
  }

  /** Waits as long as `error` asks for, or rejects with it when waiting is of no use. */
  async waitOut(error: unknown): Promise<void> {
    if (error instanceof ServerAway) return this.rest("away", 0, error.why);
    if (error instanceof WrongBytes) return this.rest("away");
    const shown = error instanceof ProtocolError ? SHOWN[error.code] : undefined;
    if (!(error instanceof ProtocolError) || shown === undefined) throw error;
    return this.rest(shown, error.retryAfterMs);
  }

  /**
   * One wait of the backoff, at least `least` milliseconds. Events shorten it, save where the server is away or has said
   * until when it takes nothing.
   */
  async rest(shown: Shown, least = 0, why?: Intermediary): Promise<void> {
    const { control, sleep, events } = this.#deps;
    const forMs = this.#backoff.next(least);
    const phase: Phase =
      shown === "operator"
        ? { phase: "paused", why: "operator" }
        : shown === "away"
          ? { phase: "away", forMs, ...(why && { why }) }
          : { phase: shown, forMs };
    control.enter(phase);
    if (shown === "away" || shown === "quarantined") await sleep(forMs, control.signal);
    else await events.wait(forMs, control.signal);
  }
}
