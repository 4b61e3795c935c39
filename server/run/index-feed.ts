import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Fact, Index, IndexedCredit, IndexedDelta } from "../store/store.ts";

/**
 * Feeds the index and answers from it. The journal is the truth, so an index that cannot be written (a full
 * disk) must not stop the run: facts wait here and are tried again with the next one.
 */
export class IndexFeed {
  readonly #index: Index;
  readonly #failed: (error: unknown) => void;
  #waiting: (readonly Fact[])[] = [];

  constructor(index: Index, failed: (error: unknown) => void) {
    this.#index = index;
    this.#failed = failed;
  }

  /** One journal record's facts, none for most. */
  add(facts: readonly Fact[]): void {
    this.#waiting.push(facts);
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        this.#index.apply(next);
        this.#waiting.shift();
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  delta(ticket: TicketId): IndexedDelta | undefined {
    for (const fact of this.#waiting.flat()) {
      if (fact.type === "accepted" && fact.delta.ticket === ticket) return fact.delta;
    }
    return this.#index.delta(ticket);
  }

  credit(volunteer: VolunteerKey): IndexedCredit {
    return this.#index.credit(volunteer);
  }
}
