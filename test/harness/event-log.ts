import type { Hash, RunId } from "../../protocol/ids.ts";
import { Ranges } from "../../server/coordinator/ranges.ts";
import type { Rules } from "../../server/coordinator/rules.ts";
import { begin } from "../../server/coordinator/state.ts";
import { EventLog } from "../../server/run/event-log.ts";
import { Projections } from "../../server/run/projections.ts";
import { RunClock } from "../../server/run/run-clock.ts";
import { mean } from "../../server/trust/weigh.ts";

const hash = "0".repeat(64) as Hash;

export const rules: Rules = {
  run: "r" as RunId,
  ranges: new Ranges([{ hash, tokens: 8 * 40 + 1 }], 4, 8, 1),
  steps: () => 2,
  batch: 2,
  context: 8,
  leaseMs: 60_000,
  quorum: 2,
  crowd: 1_000,
  tokenBudget: 1_000_000,
  weigh: mean,
  tripwire: Number.POSITIVE_INFINITY,
  rates: (tokens) => [0.1, tokens],
};

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
