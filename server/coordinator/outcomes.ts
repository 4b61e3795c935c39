import type { TicketId } from "../../protocol/ids.ts";
import type { Accepted, DurableEvent } from "./events.ts";
import type { State } from "./state.ts";

/** What became of an accepted delta: the version it was merged into, or null where it was discarded. */
export interface Outcome {
  readonly ticket: TicketId;
  readonly version: number | null;
  /** Tokens that it counted for in its version; absent: all of its own. */
  readonly tokens?: number;
}

/** Accepted when nothing could be done with it any more: its upload and the event that ended it crossed. */
const isLate = (state: State, { version }: Pick<Accepted, "version">): boolean =>
  state.phase === "finished" || version < state.floor;

/**
 * Whose fate `event` decides when it is applied to `state`. This is the only place that decides it: {@link reduce} returns
 * it with the new state, and everything else that follows deltas is told it from there.
 */
export function outcomesOf(state: State, event: DurableEvent): Outcome[] {
  switch (event.type) {
    case "accepted":
      return isLate(state, event) ? [{ ticket: event.ticket, version: null }] : [];
    case "closed":
      return (event.discarded ?? []).map((ticket) => ({ ticket, version: null }));
    case "audited":
      return event.verdict === "bad" && state.pool.some(({ ticket }) => ticket === event.ticket)
        ? [{ ticket: event.ticket, version: null }]
        : [];
    case "rolled-back":
      return [...(state.closing?.event.merged ?? []), ...state.pool].map(({ ticket }) => ({
        ticket,
        version: null,
      }));
    case "published":
      return (state.closing?.event.merged ?? []).map(({ weight: _, ...merged }) => ({
        ...merged,
        version: event.version,
      }));
    case "state":
      return event.state === "finished" ? state.pool.map(({ ticket }) => ({ ticket, version: null })) : [];
    default:
      return [];
  }
}
