import type { TicketId } from "../../protocol/ids.ts";
import type { DurableEvent } from "./events.ts";
import type { State } from "./state.ts";

/** The one end of an accepted delta: the version it is merged into, or null where it is discarded. */
export interface End {
  readonly ticket: TicketId;
  readonly version: number | null;
}

/** Which deltas come to their end when `event` is applied to `state`. */
export function endsOf(state: State, event: DurableEvent): End[] {
  switch (event.type) {
    case "accepted":
      return state.phase === "finished" ? [{ ticket: event.ticket, version: null }] : [];
    case "published":
      return (state.closing?.event.merged ?? []).map(({ ticket }) => ({ ticket, version: event.version }));
    case "state":
      return event.state === "finished" ? state.pool.map(({ ticket }) => ({ ticket, version: null })) : [];
    default:
      return [];
  }
}
