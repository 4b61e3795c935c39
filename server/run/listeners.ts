import type { RunEvent } from "../../protocol/events.ts";
import type { Log } from "../lib/log.ts";

/** Callbacks for a run's events. A failure of one is logged, and the others are still called. */
export class Listeners {
  readonly #log: Log;
  readonly #listeners = new Set<(event: RunEvent) => void>();

  constructor(log: Log) {
    this.#log = log;
  }

  add(listener: (event: RunEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(event: RunEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.error({ error: String(error) }, "an event listener failed");
      }
    }
  }
}
