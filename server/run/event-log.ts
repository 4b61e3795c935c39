import type { Created, DurableEvent, Effect, SoftEvent } from "../coordinator/events.ts";
import { reduce } from "../coordinator/reduce.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import type { Store } from "../store/store.ts";
import type { Applied, Projections } from "./projections.ts";
import { encodeEvent } from "./record.ts";
import type { RunClock } from "./run-clock.ts";

export type Recordable = Exclude<DurableEvent, Created>;

export interface EventLogParts {
  readonly store: Pick<Store, "append">;
  readonly projections: Projections;
  readonly clock: RunClock;
  readonly rules: () => Rules;
  /** Hears of each event that is durable and applied, in the journal's order. */
  readonly applied: (event: Recordable, applied: Applied) => void;
}

/**
 * The only way to change a run's state. A durable event is appended first and applied when it is durable, in journal
 * order, so that a crash at any point loses only what was never acknowledged.
 */
export class EventLog {
  readonly #parts: EventLogParts;
  /** Resolves when every event recorded so far is applied, or has failed. */
  #tail: Promise<void> = Promise.resolve();
  #taking = 0;

  constructor(parts: EventLogParts) {
    this.#parts = parts;
  }

  get state(): State {
    return this.#parts.projections.state;
  }

  /** Whether an event is on its way to the journal that may take waiting deltas away. */
  get takesDeltas(): boolean {
    return this.#taking > 0;
  }

  /**
   * Appends an event and, once it is durable, applies it. Appends become durable in the order they were made,
   * and the chain applies them in it; so `at` is the run clock at this call. Rejects, with the state unchanged,
   * when the event is not durable. In place of a delta's frame there may be another way to append the event: the store has
   * the frame already.
   */
  record(event: Recordable, frame?: Uint8Array | ((head: Uint8Array) => Promise<number>)): Promise<void> {
    const append = async () => {
      const head = encodeEvent(event);
      return typeof frame === "function" ? frame(head) : this.#parts.store.append(head, frame);
    };
    const written = append();
    written.catch(() => {}); // the chain tells it; until the chain comes to it, nobody listens
    const takes = event.type === "audited" || event.type === "state"; // others only add to what a decision knew
    if (takes) this.#taking += 1;
    const applied = this.#tail.then(async () => {
      await written.finally(() => {
        if (takes) this.#taking -= 1;
      });
      const { projections, rules, clock } = this.#parts;
      this.#parts.applied(event, projections.apply(rules(), event, clock.now()));
    });
    this.#tail = applied.catch(() => {});
    return applied;
  }

  /** Applies an event that a restart may forget. Its effects are the caller's to answer or to perform. */
  take(event: SoftEvent): readonly Effect[] {
    const { projections, rules, clock } = this.#parts;
    const { state, effects } = reduce(rules(), projections.state, event, clock.now());
    projections.state = state;
    return effects;
  }

  /** Resolves when nothing is on its way to the journal. */
  idle(): Promise<void> {
    return this.#tail;
  }
}
