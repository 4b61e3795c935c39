import { describe, expect, test } from "vitest";
import type { Signature } from "../../protocol/ids.ts";
import type { TicketTerms } from "../../protocol/ticket.ts";
import { Driven, hash, rules, ticketId, volunteer } from "../../test/harness/driven-run.ts";
import { NO_TRUST, recordPass } from "../trust/standing.ts";
import { NOTHING_USUAL } from "../trust/usual.ts";
import type { Effect } from "./events.ts";
import { activeAt } from "./leases.ts";
import { ACTIVE_MS, LEASES_EACH } from "./rules.ts";
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
