import type { RunEvent } from "../../protocol/events.ts";
import type { Log } from "../lib/log.ts";

/** Who hears of a run's events. One that fails is told of in the log, and the others hear all the same. */
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
