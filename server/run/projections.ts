import type { TicketId } from "../../protocol/ids.ts";
import type { Closed, Created, DurableEvent, Effect } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import { reduce } from "../coordinator/reduce.ts";
import type { Rules } from "../coordinator/rules.ts";
import type { State } from "../coordinator/state.ts";
import { type IndexEntry, StoreError } from "../store/store.ts";
import { entriesOf } from "./index-entries.ts";
import { type Late, RecentDeltas } from "./recent-deltas.ts";

/** A frame in the journal, and the weight it is merged with. */
export interface FrameAt {
  readonly sequence: number;
  readonly weight: number;
}

/** The effect of one journal record. */
export interface Applied {
  readonly state: State;
  readonly effects: readonly Effect[];
  /** Deltas whose outcome it decided. */
  readonly ended: readonly Outcome[];
  /** The index's entries of it. */
  readonly entries: readonly IndexEntry[];
}

/**
 * The run's state and everything else that follows from its journal: the places of frames that are not merged yet, and
 * the deltas of the newest versions. {@link Projections.apply} is the one fold over the journal, for events as they happen and for those
 * that are read again at a start.
 */
export class Projections {
  /** Journal places of the frames not yet merged. */
  readonly frames: Map<TicketId, number>;
  readonly late: RecentDeltas;
  state: State;
  /** Journal records applied so far. */
  applied: number;

  constructor(
    state: State,
    applied: number,
    kept: { readonly frames?: ReadonlyMap<TicketId, number>; readonly late?: readonly Late[] } = {},
  ) {
    this.state = state;
    this.applied = applied;
    this.frames = new Map(kept.frames);
    this.late = new RecentDeltas(kept.late);
  }

  /** Applies the next journal record. `now` is the run clock. Throws where it contradicts the state. */
  apply(rules: Rules, event: Exclude<DurableEvent, Created>, now: number): Applied {
    const before = this.state;
    const sequence = this.applied;
    const { state, effects, ended } = reduce(rules, before, event, now);
    if (event.type === "accepted") this.frames.set(event.ticket, sequence);
    for (const { ticket } of ended) this.frames.delete(ticket);
    this.late.add(event, sequence, ended);
    this.state = state;
    this.applied = sequence + 1;
    return { state, effects, ended, entries: entriesOf(before, event, ended) };
  }

  /** The first journal record whose frame a version that is stored now would need, to go on from it. */
  get needs(): number {
    return Math.min(this.applied, ...this.frames.values());
  }

  /** Where the frames of a closed version are. Throws a StoreError where the journal has one no more. */
  placesOf(closed: Closed | undefined): FrameAt[] {
    return (closed?.merged ?? []).map(({ ticket, weight }) => {
      const sequence = this.frames.get(ticket);
      if (sequence === undefined) throw new StoreError(`the journal has no frame of ticket ${ticket}`);
      return { sequence, weight };
    });
  }
}
