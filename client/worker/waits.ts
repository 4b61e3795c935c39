import { type ErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { Intermediary } from "../../protocol/intermediary.ts";
import type { RoundDeps } from "./deps.ts";
import type { Phase } from "./messages.ts";
import { RetryPolicy } from "./retry-policy.ts";

type Shown = "operator" | "waiting" | "away" | "quarantined" | "banned";

/** The phase shown while a refusal lasts, where that is not a server without work. */
const SHOWN: Partial<Record<ErrorCode, Shown>> = {
  quarantined: "quarantined",
  banned: "banned",
  "run-paused": "operator",
  "internal-error": "away",
  "not-durable": "away",
  "no-space": "away",
};

/** The loop's waits, as its visitor sees them: a server that is away, paused or without work, a version that just went. */
export class Waits {
  readonly #deps: Pick<RoundDeps, "control" | "sleep" | "events">;
  readonly #retry: RetryPolicy;

  constructor(deps: Pick<RoundDeps, "control" | "sleep" | "random" | "events">) {
    this.#deps = deps;
    this.#retry = new RetryPolicy(deps.random);
  }

  /** Something succeeded: the next wait is short again. */
  reset(): void {
    this.#retry.reset();
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

  /** Waits as long as `error` asks for, or rejects with it where waiting does not cure it. */
  async waitOut(error: unknown): Promise<void> {
    const { ms, why } = this.#retry.after(error, "fresh");
    const shown = error instanceof ProtocolError ? (SHOWN[error.code] ?? "waiting") : "away";
    return this.#rest(shown, ms, why);
  }

  /** Waits for work. */
  async rest(): Promise<void> {
    return this.#rest("waiting", this.#retry.next());
  }

  /** Events shorten a wait, save where the server is away or has said until when it takes nothing. */
  async #rest(shown: Shown, forMs: number, why?: Intermediary): Promise<void> {
    const { control, sleep, events } = this.#deps;
    const phase: Phase =
      shown === "operator"
        ? { phase: "paused", why: "operator" }
        : shown === "away"
          ? { phase: "away", forMs, ...(why && { why }) }
          : { phase: shown, forMs };
    control.enter(phase);
    if (shown === "away" || shown === "quarantined" || shown === "banned") await sleep(forMs, control.signal);
    else await events.wait(forMs, control.signal);
  }
}
