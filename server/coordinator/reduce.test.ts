import { describe, expect, test } from "vitest";
import type { Signature } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { created, Driven, hash, rules, ticketId, volunteer } from "../../test/harness/driven-run.ts";
import { NO_TRUST, recordPass } from "../trust/standing.ts";
import { NOTHING_USUAL } from "../trust/usual.ts";
import type { Effect } from "./events.ts";
import { activeAt } from "./leases.ts";
import { replay } from "./reduce.ts";
import { ACTIVE_MS, LEASES_EACH, type Rules } from "./rules.ts";
import { restarted } from "./state.ts";

const of = (effects: readonly Effect[], type: Effect["type"]) => effects.filter((e) => e.type === type);

describe("leases", () => {
  test("a ticket names the version, its text, and rates by the run's tokens", () => {
    const run = new Driven();
    run.now = 5;
    const terms = run.ask();
    expect(terms).toMatchObject({ version: 0, hash: hash(0), issued: 5, lease: 60_000, rates: [0.1, 0] });
    expect(rules.ranges.at(0)).toEqual({ shard: terms.shard, window: terms.window });
  });

  test("a ticket is as long as the rules say for what its volunteer measured", () => {
    const run = new Driven();
    expect([run.ask(1).steps, run.ask(2, { speed: 7 }).steps]).toEqual([2, 7]);
  });

  test("two volunteers never hold the same range", () => {
    const run = new Driven();
    const ranges = Array.from({ length: 10 }, (_, i) => run.ask(i).window);
    expect(new Set(ranges).size).toBe(10);
  });

  test("an expired lease gives its range out again, before any new one", () => {
    const run = new Driven();
    const first = run.ask(1);
    run.now = 59_999;
    const second = run.ask(2);
    expect(second.seed).not.toBe(first.seed);
    run.now = 60_000;
    const again = run.ask(3);
    expect(again).toMatchObject({ shard: first.shard, window: first.window, seed: first.seed });
    expect(again.id).not.toBe(first.id);
  });

  test("a used range is not given out again when its lease would have ended", () => {
    const run = new Driven();
    const first = run.ask(1);
    run.accept(first);
    run.now = 60_001;
    expect(run.ask(2).seed).not.toBe(first.seed);
  });

  test("one volunteer holds few tickets: asking on and on gives it its oldest text again", () => {
    const run = new Driven();
    const terms = Array.from({ length: 3 * LEASES_EACH }, () => run.ask(1));
    expect(run.state.soft.leases.size).toBe(LEASES_EACH);
    expect(terms.slice(LEASES_EACH).map(({ seed }) => seed)).toEqual(
      terms.slice(0, -LEASES_EACH).map(({ seed }) => seed),
    );
    expect(run.state.soft.next).toBe(LEASES_EACH);
  });

  test("after a restart, text below the frontier that nobody trained on comes first", () => {
    const run = new Driven();
    const [lost, kept] = [run.ask(1), run.ask(2)];
    run.accept(kept);
    run.state = restarted(run.state);
    expect(run.ask(3).seed).toBe(lost.seed);
    expect([lost.seed, kept.seed]).not.toContain(run.ask(4).seed);
  });

  test("a paused and a finished run give no work", () => {
    const run = new Driven();
    run.send({ type: "state", at: 0, state: "paused" });
    const asked = {
      type: "asked",
      volunteer: volunteer(1),
      ticket: ticketId(77),
      pace: {},
      since: 0,
    } as const;
    expect(run.send(asked)).toMatchObject([{ type: "refuse", code: "run-paused" }]);
    run.send({ type: "state", at: 0, state: "finished" });
    expect(run.send(asked)).toMatchObject([{ type: "refuse", code: "run-finished" }]);
    run.send({ type: "state", at: 0, state: "running" });
    expect(run.state.phase).toBe("finished");
  });

  test("a volunteer is active while it holds a ticket, and a minute after it was last here", () => {
    const run = new Driven();
    run.accept(run.ask(1));
    run.ask(2);
    expect(activeAt(run.state, run.now)).toBe(2);
    run.now = ACTIVE_MS + 1;
    run.send({ type: "tick" });
    expect(activeAt(run.state, run.now)).toBe(0);
  });
});

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

test("the run finishes at its token budget; what waits or arrives later is discarded in the open", () => {
  const run = new Driven();
  const late = run.ask(30);
  run.now = 1; // longer than any other takes
  while (run.state.tokens < rules.tokenBudget - 64) {
    run.accept(run.ask(1));
    run.accept(run.ask(2));
    run.settle();
  }
  const [a, b] = [run.ask(1), run.ask(2)];
  run.accept(a);
  const closed = of(run.accept(b), "record")[0];
  run.accept(run.ask(3));
  if (closed?.type !== "record") throw new Error("nothing was decided");
  run.send(closed.event);
  run.settle();
  expect(run.state).toMatchObject({ phase: "finished", pool: [], discarded: 1 });
  expect(run.state.tokens).toBeGreaterThanOrEqual(rules.tokenBudget);
  run.accept(late);
  expect(run.state).toMatchObject({ pool: [], discarded: 2 });
});

test("held-out points stay few and keep both ends", () => {
  const run = new Driven();
  for (let version = 0; version < 5_000; version++) {
    run.send({ type: "evaluated", at: 0, version, tokens: version * 10, loss: 3, sample: `v${version}` });
  }
  const { heldOut, sample } = run.state;
  expect(heldOut.length).toBeLessThanOrEqual(400);
  expect([heldOut[0]?.version, heldOut.at(-1)?.version]).toEqual([0, 4_999]);
  expect(heldOut.map((point) => point.version)).toEqual(
    heldOut.map((point) => point.version).toSorted((a, b) => a - b),
  );
  expect(sample).toEqual({ version: 4_999, text: "v4999" });
});

test("an evaluation that comes after a newer one's changes nothing", () => {
  const run = new Driven();
  run.send({ type: "evaluated", at: 0, version: 5, tokens: 1, loss: 3, sample: "" });
  expect(run.send({ type: "evaluated", at: 0, version: 4, tokens: 1, loss: 9, sample: "" })).toEqual([]);
  expect(run.state.heldOut).toHaveLength(1);
});

test("A22: what new keys gain is no measure of gains once one is known; what the trusted gain is, and the first of all", () => {
  const gainsAfter = (known: number, by: number) => {
    const run = new Driven();
    const gains = Array.from({ length: known }, () => ({ version: 0, value: 0.1 }));
    run.state = {
      ...run.state,
      trust: recordPass({ ...NO_TRUST, usual: { ...NOTHING_USUAL, gains } }, volunteer(1), ticketId(1)),
    };
    const good = { type: "audited", at: 0, verdict: "good", reason: "gain", gain: 0.001 } as const;
    run.send({ ...good, ticket: ticketId(2), volunteer: volunteer(by) });
    return run.state.trust.usual.gains.at(-1)?.value;
  };
  const NEW = 2;
  expect(gainsAfter(3, NEW)).toBe(0.1);
  expect(gainsAfter(3, 1)).toBe(0.001); // the control: somebody trusted
  expect(gainsAfter(0, NEW)).toBe(0.001);
});

test.each([
  ["a ticket used twice", (run: Driven, used: TicketTerms) => run.accept(used)],
  [
    "a version closed that is not open",
    (run: Driven) => run.send({ type: "closed", at: 0, version: 3, merged: [] }),
  ],
  [
    "a delta merged that does not wait",
    (run: Driven) =>
      run.send({ type: "closed", at: 0, version: 0, merged: [{ ticket: ticketId(66), weight: 1 }] }),
  ],
  [
    "a delta merged twice at once",
    (run: Driven, used: TicketTerms) => {
      const delta = { ticket: used.id, weight: 1 };
      return run.send({ type: "closed", at: 0, version: 0, merged: [delta, delta] });
    },
  ],
  [
    "a version published that was not closed",
    (run: Driven) =>
      run.send({
        type: "published",
        at: 0,
        version: 1,
        hash: hash(1),
        diff: hash(1),
        diffBytes: 1,
        record: hash(1),
        signature: "s".repeat(86) as Signature,
      }),
  ],
])("a journal that tells of %s is refused", (_what, tell) => {
  const run = new Driven();
  const used = run.ask(1);
  run.accept(used);
  const before = run.state;
  expect(() => tell(run, used)).toThrow(/contradicts itself/);
  expect(run.state).toBe(before);
});
