import { describe, expect, test } from "vitest";
import { created, Driven, replay, rules, ticketId, volunteer } from "../../test/harness/driven-run.ts";
import type { Effect } from "./events.ts";
import type { Rules } from "./rules.ts";

const of = (effects: readonly Effect[], type: Effect["type"]) => effects.filter((e) => e.type === type);

describe("closing a version", () => {
  test("at the quorum, at once, with all that waits in journal order", () => {
    const run = new Driven();
    const [a, b] = [run.ask(1), run.ask(2)];
    expect(of(run.accept(b), "record")).toEqual([]);
    expect(of(run.accept(a), "record")).toMatchObject([
      { event: { type: "closed", version: 0, merged: [{ ticket: b.id }, { ticket: a.id }] } },
    ]);
  });

  test("waits for a delta of everybody at work, but not for who left", () => {
    const run = new Driven();
    for (const of of [1, 2, 3, 4]) run.ask(of); // who leave
    run.now = 1_000;
    const tickets = [5, 6, 7].map((who) => run.ask(who));
    run.now = 1_100;
    expect(of(run.accept(tickets[0]!), "record")).toEqual([]);
    expect(of(run.accept(tickets[1]!), "record")).toEqual([]);
    expect(of(run.accept(tickets[2]!), "record")).toHaveLength(1);
  });

  test("who has sent waits for the version that its delta makes, where others are at work on that", () => {
    const run = new Driven();
    run.now = 1_000;
    const [mine] = [run.ask(1), run.ask(2), run.ask(3)];
    run.now = 2_000;
    run.accept(mine);
    const asked = (since: number) =>
      ({ type: "asked", volunteer: volunteer(1), ticket: ticketId(99), pace: {}, since }) as const;
    run.now = 2_100;
    expect(run.send(asked(2_100))).toEqual([{ type: "hold", until: 4_000 }]); // it took a second
    expect(run.send(asked(2_100 - 10_000))).toMatchObject([{ type: "lease" }]); // has waited long enough
    expect(run.send({ ...asked(2_100), volunteer: volunteer(4) })).toMatchObject([{ type: "lease" }]);
    run.now = 4_000;
    expect(run.send(asked(2_100))).toMatchObject([{ type: "lease" }]);
  });

  test("where as many are at work as may be, the next waits for its turn", () => {
    const run = new Driven({ ...rules, crowd: 2 });
    run.ask(1);
    run.ask(2);
    const asked = {
      type: "asked",
      volunteer: volunteer(3),
      ticket: ticketId(99),
      pace: {},
      since: 500,
    } as const;
    run.now = 500;
    expect(run.send(asked)).toEqual([{ type: "hold", until: 10_500 }]); // and looks again
    run.now = 40_500;
    expect(run.send(asked)).toEqual([{ type: "hold", until: 45_500 }]);
    run.now = 45_500;
    expect(run.send(asked)).toMatchObject([{ type: "lease" }]);
    // The control: with room for three there is no wait.
    const roomy = new Driven({ ...rules, crowd: 3 });
    roomy.ask(1);
    roomy.ask(2);
    expect(roomy.send(asked)).toMatchObject([{ type: "lease" }]);
  });

  test("a lone volunteer's delta is merged at the deadline, not before", () => {
    const run = new Driven();
    run.now = 100;
    run.accept(run.ask(1));
    run.now = 599;
    expect(of(run.send({ type: "tick" }), "record")).toEqual([]);
    run.now = 600;
    expect(of(run.send({ type: "tick" }), "record")).toHaveLength(1);
    run.settle();
    expect(run.state).toMatchObject({ version: 1, tokens: 32, merged: 1, pool: [] });
  });

  test("A22: budget, schedule and credit follow what a delta counted for; a journal that does not say so counts all of it", () => {
    const outcome = (counts?: number) => {
      const tokens = counts === undefined ? {} : { tokens: counts };
      const weigh: Rules["weigh"] = (pool, ...rest) => {
        const { merged, discarded } = rules.weigh(pool, ...rest);
        return { merged: merged.map((one, i) => (i === 0 ? one : { ...one, ...tokens })), discarded };
      };
      const run = new Driven({ ...rules, weigh });
      run.accept(run.ask(1));
      run.accept(run.ask(2));
      run.settle();
      // A replay takes the journal's word, whatever today's rule would say.
      const again = replay(rules, created, run.journal);
      expect(again.tokens).toBe(run.state.tokens);
      return [run.state.tokens, run.state.versions[0]?.tokens, run.ask(3).rates[1]];
    };
    expect(outcome(8)).toEqual([40, 40, 40]);
    expect(outcome()).toEqual([64, 64, 64]);
  });

  test("a decision not yet durable is asked for again and not doubled", () => {
    const run = new Driven();
    run.accept(run.ask(1));
    run.accept(run.ask(2));
    const first = of(run.send({ type: "tick" }), "record")[0];
    const second = of(run.send({ type: "tick" }), "record")[0];
    expect(second).toEqual(first);
    run.settle();
    expect(run.state.version).toBe(1);
  });

  test("a delta that came after the decision waits for the next version", () => {
    const run = new Driven();
    const [a, b] = [run.ask(1), run.ask(2)];
    run.accept(a);
    const decided = of(run.accept(b), "record")[0];
    const c = run.ask(3);
    run.accept(c);
    if (decided?.type !== "record") throw new Error("nothing was decided");
    run.send(decided.event);
    expect(run.state.pool.map(({ ticket }) => ticket)).toEqual([c.id]);
    run.settle();
    expect(run.state).toMatchObject({ version: 1, tokens: 64 });
  });

  test("staleness lowers a delta's weight by (1+τ)^−3⁄2", () => {
    const run = new Driven();
    const late = run.ask(9);
    run.now = 1; // longer than any other takes
    for (let version = 0; version < 3; version++) {
      run.accept(run.ask(1));
      run.accept(run.ask(2));
      run.settle();
    }
    run.accept(run.ask(1));
    const closed = of(run.accept(late), "record")[0];
    expect(closed).toMatchObject({ event: { merged: [{ weight: 32 }, { weight: 4 }] } });
  });

  test("a paused run merges nothing until it is resumed", () => {
    const run = new Driven();
    const [a, b] = [run.ask(1), run.ask(2)];
    run.send({ type: "state", at: 0, state: "paused" });
    run.accept(a);
    expect(of(run.accept(b), "record")).toEqual([]);
    expect(of(run.send({ type: "state", at: 0, state: "running" }), "record")).toHaveLength(1);
  });
});
