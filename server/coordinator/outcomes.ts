import type { TicketId } from "../../protocol/ids.ts";
import type { Accepted, DurableEvent } from "./events.ts";
import type { State } from "./state.ts";

/** The one end of an accepted delta: the version it is merged into, or null where it is discarded. */
export interface End {
  readonly ticket: TicketId;
  readonly version: number | null;
}

/** Accepted when nothing could be done with it any more: its upload and the event that ended it crossed. */
export const isLate = (state: State, { version }: Pick<Accepted, "version">): boolean =>
  state.phase === "finished" || version < state.floor;

/** Which deltas come to their end when `event` is applied to `state`. */
export function endsOf(state: State, event: DurableEvent): End[] {
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
      return (state.closing?.event.merged ?? []).map(({ ticket }) => ({ ticket, version: event.version }));
    case "state":
      return event.state === "finished" ? state.pool.map(({ ticket }) => ({ ticket, version: null })) : [];
    default:
      return [];
  }
}
