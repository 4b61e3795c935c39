import type { Hash, RunId, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { Pace } from "../../protocol/pace.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import type { Accepted, Created, DurableEvent, Effect, Event } from "../../server/coordinator/events.ts";
import { Ranges } from "../../server/coordinator/ranges.ts";
import { reduce } from "../../server/coordinator/reduce.ts";
import type { Rules } from "../../server/coordinator/rules.ts";
import { begin, type Done, type State } from "../../server/coordinator/state.ts";
import { askedOf } from "../../server/run/acknowledged.ts";
import { mean } from "../../server/trust/weigh.ts";

export const hash = (n: number) => n.toString(16).padStart(64, "0") as Hash;
export const ticketId = (n: number) => String(n).padStart(22, "0") as TicketId;
export const volunteer = (n: number) => String(n).padStart(43, "0") as VolunteerKey;

export const rules: Rules = {
  run: "r" as RunId,
  ranges: new Ranges([{ hash: hash(1), tokens: 8 * 40 + 1 }], 4, 8, 1),
  steps: ({ speed = 2 }) => speed,
  batch: 2,
  context: 8,
  leaseMs: 60_000,
  quorum: 2,
  crowd: 1_000,
  tokenBudget: 1_000,
  weigh: mean,
  tripwire: Number.POSITIVE_INFINITY,
  rates: (tokens) => [0.1, tokens],
};

export const created: Created = { type: "created", at: 0, hash: hash(0), genesis: {} };

/** A run driven by hand, at a time that only the test moves. */
export class Driven {
  state: State = begin(created);
  now = 0;
  effects: readonly Effect[] = [];
  /** L2 norm of the mean of the next versions' deltas. */
  meanNorm = 1;
  /** What was journaled. */
  readonly journal: Exclude<DurableEvent, Created>[] = [];
  #tickets = 0;
  readonly #rules: Rules;

  constructor(followed = rules) {
    this.#rules = followed;
  }

  send(event: Exclude<Event, Created>): readonly Effect[] {
    if (event.type !== "asked" && event.type !== "tick") this.journal.push(event);
    ({ state: this.state, effects: this.effects } = reduce(this.#rules, this.state, event, this.now));
    return this.effects;
  }

  ask(of = 1, pace: Pace = {}): TicketTerms {
    const effect = this.send({
      type: "asked",
      volunteer: volunteer(of),
      ticket: ticketId(++this.#tickets),
      pace,
      since: this.now,
    })[0];
    if (effect?.type !== "lease") throw new Error(`no lease but ${JSON.stringify(effect)}`);
    return effect.terms;
  }

  /** A ticket's delta as it is accepted; of so many steps, that took so long, in a run on a clock. */
  deltaOf(terms: TicketTerms, at: number, done?: number | Done): Accepted {
    const { steps, trainMs = 1, norm = 1 } = typeof done === "number" ? { steps: done } : (done ?? {});
    return {
      type: "accepted",
      at,
      ticket: terms.id,
      volunteer: terms.volunteer,
      delta: hash(99),
      version: terms.version,
      tokens: steps === undefined ? 32 : steps * terms.batch * rules.context,
      position: rules.ranges.positionOf(terms.seed),
      took: at - terms.issued,
      report: { loss: 1, trainMs, device: "", ...(steps !== undefined && { steps }) },
      ...askedOf(terms, norm),
    };
  }

  accept(terms: TicketTerms, at = this.now, done?: number | Done): readonly Effect[] {
    return this.send(this.deltaOf(terms, at, done));
  }

  /** Does what the last effects ask until they ask for nothing durable. */
  settle(): void {
    for (;;) {
      const due = this.effects.find(({ type }) => type === "record" || type === "merge");
      if (due?.type === "record") this.send(due.event);
      else if (due?.type === "merge") {
        const version = due.closed.version + 1;
        this.send({
          type: "published",
          at: this.now,
          version,
          hash: hash(version),
          diff: hash(7),
          diffBytes: 5,
          norm: this.meanNorm,
          record: hash(1_000 + version),
          signature: "s".repeat(86) as Signature,
        });
      } else return;
    }
  }
}

/** The state of a whole journal: `created`, then the rest. */
export function replay(rules: Rules, created: Created, rest: Iterable<Exclude<Event, Created>>): State {
  let state = begin(created);
  for (const event of rest) state = reduce(rules, state, event, "at" in event ? event.at : state.at).state;
  return state;
}
