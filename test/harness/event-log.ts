import type { Hash } from "../../protocol/ids.ts";
import type { Rules } from "../../server/coordinator/rules.ts";
import { begin } from "../../server/coordinator/state.ts";
import { EventLog } from "../../server/run/event-log.ts";
import { Projections } from "../../server/run/projections.ts";
import { RunClock } from "../../server/run/run-clock.ts";
import { rules as driven } from "./driven-run.ts";

const hash = "0".repeat(64) as Hash;

/** Of a run that goes on for as long as a test does. */
export const rules: Rules = { ...driven, steps: () => 2, tokenBudget: 1_000_000 };

/** The event log of a run that has just begun, over appends that a test ends by hand. */
export function eventLogOver(now = () => 0) {
  const appends: PromiseWithResolvers<number>[] = [];
  const applied: string[] = [];
  const clock = new RunClock(now, 0);
  const projections = new Projections(begin({ type: "created", at: 0, hash, genesis: {} }), 1);
  const log = new EventLog({
    ...{ projections, clock, rules: () => rules },
    store: {
      append: () => {
        const append = Promise.withResolvers<number>();
        appends.push(append);
        return append.promise;
      },
    },
    applied: (event) => void applied.push("state" in event ? event.state : event.type),
  });
  return { log, appends, applied, clock, projections };
}

/** Once what is not held back by hand has happened. */
export const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
