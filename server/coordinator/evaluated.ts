import { thinned } from "../lib/thinned.ts";
import { rolledBackTo } from "../trust/tripwire.ts";
import type { Effect, Evaluated } from "./events.ts";
import type { Rules } from "./rules.ts";
import { keepSample } from "./samples.ts";
import type { State } from "./state.ts";

/** Held-out points kept; beyond this every other one of the older half is dropped. */
const MAX_POINTS = 400;

/** A durable event's effect on the state, before the deltas that it ended are removed. */
export interface Change {
  readonly state: State;
  /** Effects that come before what is due. */
  readonly effects?: readonly Effect[];
  /** Nothing becomes due by it. */
  readonly quiet?: true;
}

/** Adds a held-out measurement to the curve; a loss that has risen too far takes the run back. */
export function evaluate(rules: Rules, state: State, event: Evaluated): Change {
  const { at, version, tokens, loss } = event;
  const newest = state.heldOut.at(-1);
  // Measured before a roll-back and reported after it: that version is gone.
  const gone = version < state.floor;
  if (gone || (newest !== undefined && newest.version >= version))
    return { state: { ...state, at }, quiet: true };
  const written = event.written && { written: event.written };
  const added = event.added === undefined ? {} : { added: event.added };
  const right = event.right === undefined ? {} : { right: event.right };
  const sample = { version, text: event.sample, ...written };
  const to = rolledBackTo(state.heldOut, event, rules.tripwire);
  return {
    state: {
      ...state,
      at,
      heldOut: thinned([...state.heldOut, { version, tokens, loss, ...added, ...right }], MAX_POINTS),
      sample,
      samples: keepSample(state.samples, sample),
    },
    effects: [
      {
        type: "announce",
        event: {
          type: "evaluation",
          version,
          tokens,
          loss,
          sample: event.sample,
          ...added,
          ...written,
          ...right,
        },
      },
      ...(to === undefined ? [] : [{ type: "roll-back", to } as const]),
    ],
    quiet: true,
  };
}
