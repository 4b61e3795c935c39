import type { TicketId } from "../../protocol/ids.ts";
import type { Accepted, DurableEvent } from "./events.ts";
import type { State } from "./state.ts";

/** An accepted delta's outcome: the version it was merged into, or null where it was discarded. */
export interface Outcome {
  readonly ticket: TicketId;
  readonly version: number | null;
  /** Tokens that it counted for in its version; absent: all of its own. */
  readonly tokens?: number;
}

/** Accepted too late to be merged: its upload crossed the event that made it useless. */
const isLate = (state: State, { version, refused }: Pick<Accepted, "version" | "refused">): boolean =>
  refused !== undefined || state.phase === "finished" || version < state.floor;

/**
 * The outcomes that `event` decides when it is applied to `state`. This is the only place that decides them:
 * {@link reduce} returns them with the new state, and everything else that follows deltas gets them from there.
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
