import type { RunEvent } from "../../protocol/events.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Api } from "../transport/api.ts";
import { Backoff } from "../transport/backoff.ts";

/** Milliseconds until a stream that ended is opened again, at first and at last. */
const REOPEN_MS = 2_000;
const LAST_REOPEN_MS = 60_000;
/** Milliseconds over which volunteers that wait for the same event come back. */
const SPREAD_MS = 500;

/** The subscription's dependencies (deps.ts explains them). */
export interface SubscriptionDeps {
  readonly api: Pick<Api, "events">;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
}

/**
 * The server's events: which version is the newest, and when to ask again. Nothing depends on
 * it. A stream that fails is opened again with jitter, and meanwhile volunteers that wait poll.
 */
export class EventSubscription {
  readonly #deps: SubscriptionDeps;
  readonly #waiting = new Set<() => void>();
  #newest: { readonly version: number; readonly hash: Hash } | undefined;
  #state: string | undefined;

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps;
  }

  /** The newest version heard of. */
  get newest(): { readonly version: number; readonly hash: Hash } | undefined {
    return this.#newest;
  }

  /** Listens until the signal aborts; then it resolves. */
  async listen(signal: AbortSignal): Promise<void> {
    const { api, sleep, random } = this.#deps;
    const backoff = new Backoff(random, REOPEN_MS, LAST_REOPEN_MS);
    while (!signal.aborted) {
      try {
        for await (const event of api.events({ signal })) {
          backoff.reset();
          this.#hear(event);
        }
      } catch {
        // Nothing depends on events: whatever it was, the next try is a while away.
      }
      await sleep(backoff.next(), signal).catch(() => undefined);
    }
  }

  /** Resolves after `ms`, or a little after the run has moved on. Rejects with the signal's reason. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const { sleep, random } = this.#deps;
    const early = new AbortController();
    const wake = () => early.abort();
    this.#waiting.add(wake);
    try {
      await sleep(ms, AbortSignal.any([signal, early.signal]));
    } catch {
      signal.throwIfAborted();
      await sleep(random() * SPREAD_MS, signal);
    } finally {
      this.#waiting.delete(wake);
    }
  }

  #hear(event: RunEvent): void {
    const [version, state] = [this.#newest?.version, this.#state];
    if (event.type === "hello" || event.type === "version") {
      this.#newest = { version: event.version, hash: event.hash };
    }
    if (event.type === "hello" || event.type === "state") this.#state = event.state;
    if (this.#newest?.version === version && this.#state === state) return;
    for (const wake of this.#waiting) wake();
  }
}
