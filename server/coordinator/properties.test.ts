import fc from "fast-check";
import { expect, test } from "vitest";
import type { Hash, RunId, Signature, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { replay } from "../../test/harness/driven-run.ts";
import { mean } from "../trust/weigh.ts";
import type { Accepted, Created, DurableEvent, Effect, Event } from "./events.ts";
import { outcomesOf } from "./outcomes.ts";
import { Ranges } from "./ranges.ts";
import { reduce } from "./reduce.ts";
import { MAX_STALENESS, type Rules } from "./rules.ts";
import { begin, restarted, type State } from "./state.ts";

const hash = (n: number) => n.toString(16).padStart(64, "0") as Hash;
const rules: Rules = {
  run: "r" as RunId,
  ranges: new Ranges([{ hash: hash(1), tokens: 8 * 40 + 1 }], 4, 8, 3),
  steps: () => 2,
  batch: 2,
  context: 8,
  leaseMs: 10_000,
  quorum: 3,
  crowd: 1_000,
  tokenBudget: 32 * 30,
  weigh: mean,
  tripwire: Number.POSITIVE_INFINITY,
  rates: () => [0.1, 0.1],
};
const created: Created = { type: "created", at: 0, hash: hash(0), genesis: {} };

/**
 * What the world may do, in any order: ask; send the n-th outstanding delta; make the n-th waiting write
 * durable or lose them all; let time pass; pause and resume; kill the process.
 */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("ask" as const), who: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("send" as const), which: fc.nat(20) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("sync" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pause" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("resume" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const) }) },
);
type StepOf = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A shell without a disk: one queue of writes, of which the oldest becomes durable on demand. */
class World {
  state: State = begin(created);
  now = 0;
  readonly journal: Exclude<DurableEvent, Created>[] = [];
  readonly ends = new Map<TicketId, number | null>();
  #tickets = 0;
  #outstanding: TicketTerms[] = [];
  #unsynced: Exclude<DurableEvent, Created>[] = [];
  #versionsSeen = 0;

  act(action: StepOf): void {
    switch (action.do) {
      case "ask": {
        const ticket = String(++this.#tickets).padStart(22, "0") as TicketId;
        this.#soft({
          type: "asked",
          volunteer: String(action.who).padStart(43, "0") as VolunteerKey,
          ticket,
          pace: {},
          since: Number.NEGATIVE_INFINITY,
        });
        break;
      }
      case "send": {
        const terms = this.#outstanding[action.which % Math.max(1, this.#outstanding.length)];
        if (terms !== undefined) this.#upload(terms);
        break;
      }
      case "sync":
        this.#sync();
        break;
      case "lose":
        this.#unsynced = [];
        break;
      case "wait":
        this.now += action.ms;
        this.#soft({ type: "tick" });
        break;
      case "pause":
      case "resume":
        this.#write({ type: "state", at: this.now, state: action.do === "pause" ? "paused" : "running" });
        break;
      case "kill":
        this.#unsynced = [];
        this.state = restarted(replay(rules, created, this.journal));
        this.now = this.state.at;
        this.#soft({ type: "tick" });
        break;
    }
  }

  /** The checks that stand before the journal (server/trust, and the shell's table of uploads in flight). */
  #upload(terms: TicketTerms): void {
    const { state } = this;
    const coming = this.#unsynced.some((event) => event.type === "accepted" && event.ticket === terms.id);
    if (coming || state.phase === "finished" || state.version - terms.version > MAX_STALENESS) return;
    if (this.now > terms.issued + terms.lease) return;
    this.#outstanding = this.#outstanding.filter((other) => other !== terms);
    const accepted: Accepted = {
      type: "accepted",
      at: this.now,
      ticket: terms.id,
      volunteer: terms.volunteer,
      delta: hash(5),
      version: terms.version,
      tokens: 32,
      position: rules.ranges.positionOf(terms.seed),
      took: Math.max(0, this.now - terms.issued),
      report: { loss: 1, trainMs: 1, device: "" },
    };
    this.#write(accepted);
  }

  #write(event: Exclude<DurableEvent, Created>): void {
    this.#unsynced.push(event);
  }

  #sync(): void {
    const event = this.#unsynced.shift();
    if (event === undefined) return;
    this.journal.push(event);
    for (const { ticket, version } of outcomesOf(this.state, event)) {
      expect(this.ends.has(ticket)).toBe(false);
      this.ends.set(ticket, version);
    }
    this.#apply(event);
    if (event.type === "published") {
      expect(event.version).toBe(++this.#versionsSeen);
      expect(this.state.tokens).toBe(
        32 * [...this.ends.values()].filter((version) => version !== null).length,
      );
    }
  }

  #soft(event: Event & { type: "asked" | "tick" }): void {
    this.#apply(event);
  }

  #apply(event: Exclude<Event, Created>): void {
    const { state, effects } = reduce(rules, this.state, event, this.now);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    if (effect.type === "lease") this.#outstanding.push(effect.terms);
    const deciding = this.#unsynced.some(({ type }) => type === "closed" || type === "published");
    const finishing = this.#unsynced.some((event) => event.type === "state" && event.state === "finished");
    if (deciding || finishing) return;
    if (effect.type === "record") this.#write(effect.event);
    if (effect.type === "merge") {
      const version = effect.closed.version + 1;
      this.#write({
        type: "published",
        at: this.now,
        version,
        hash: hash(version),
        diff: hash(9),
        diffBytes: 1,
        record: hash(1_000 + version),
        signature: "s".repeat(86) as Signature,
      });
    }
  }
}

const durable = ({ soft: _, ...rest }: State) => rest;

test("whatever happens in whatever order: one end for each delta, tokens add up, a replay is the state", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const world = new World();
      for (const action of steps) world.act(action);
      const { state, journal, ends } = world;

      expect(durable(replay(rules, created, journal))).toEqual(durable(state));

      const accepted = journal.filter((event) => event.type === "accepted");
      const waiting = new Set<TicketId>(state.pool.map(({ ticket }) => ticket));
      for (const { ticket } of state.closing?.event.merged ?? []) waiting.add(ticket);
      for (const { ticket } of accepted) expect(ends.has(ticket)).not.toBe(waiting.has(ticket));
      expect(ends.size + waiting.size).toBe(accepted.length);
      expect(state.merged + state.discarded).toBe(ends.size);

      const finished = state.phase === "finished";
      if (finished) expect(waiting.size).toBe(0);
      // No text is lost: what lies below the frontier was trained on, or is leased, or waits to be given out.
      const { leases, queue, next } = state.soft;
      const leased = [...leases.values()].map(({ position }) => position);
      for (const gap of state.gaps.keys()) expect([...queue, ...leased]).toContain(gap);
      expect(next).toBeGreaterThanOrEqual(state.frontier);
    }),
    { numRuns: 300 },
  );
});

test("a run that is served at all comes to its end", () => {
  const world = new World();
  for (let turn = 0; turn < 2_000 && world.state.phase !== "finished"; turn++) {
    world.act({ do: "ask", who: turn % 3 });
    world.act({ do: "send", which: turn });
    world.act({ do: "wait", ms: 300 });
    world.act({ do: "sync" });
  }
  expect(world.state.phase).toBe("finished");
});

test("an old state is left as it was", () => {
  const world = new World();
  const before = world.state;
  const copy = structuredClone(durable(before));
  for (let i = 0; i < 20; i++) {
    world.act({ do: "ask", who: i % 3 });
    world.act({ do: "send", which: 0 });
    world.act({ do: "sync" });
  }
  expect(durable(before)).toEqual(copy);
  expect(before.soft.leases.size).toBe(0);
});
