import { expect, test } from "vitest";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { created, Driven, replay, rules as turns } from "../../test/harness/driven-run.ts";
import { roundStatus } from "./effort.ts";
import type { Rules } from "./rules.ts";

const rules: Rules = {
  ...turns,
  quorum: 1,
  tokenBudget: 1e9,
  rounds: { ms: 1_000, most: { adamw: 2, muon: 4 }, context: 8, sendings: [{ codec: DENSE4, bytes: 1_000 }] },
  rates: (_, steps) => Array<number>(steps).fill(0.1),
};

test("reports the current tickets, and how the newest versions were made", () => {
  const run = new Driven(rules);
  expect(roundStatus(rules, run.state)).toEqual({ ms: 1_000, inner: "muon", batch: 4, lately: null });
  const publish = (at: number) => {
    run.now = at;
    run.send({ type: "tick" });
    run.settle();
  };
  const [first, second, slow] = [run.ask(1), run.ask(2), run.ask(3)];
  run.accept(first, 600, { steps: 4, trainMs: 500 });
  run.accept(second, 800, { steps: 2, trainMs: 750 });
  publish(1_000);
  const again = run.ask(1);
  run.accept(slow, 1_300, { steps: 6, trainMs: 1_250 });
  run.accept(again, 1_700, { steps: 4, trainMs: 500 });
  publish(2_000);
  expect(run.state.version).toBe(2);
  expect(roundStatus(rules, run.state)).toEqual({
    ...{ ms: 1_000, inner: "muon", batch: 2 },
    lately: { versions: 2, steps: 4, late: 0.25, goodput: 3_000 / 4_000, crowd: expect.anything() },
  });
  expect(roundStatus(rules, replay(rules, created, run.journal)), "after a restart").toEqual(
    roundStatus(rules, run.state),
  );
});

test("before the first version it reports what the first volunteers are given", () => {
  const run = new Driven(rules);
  const tickets = Array.from({ length: 12 }, (_, i) => run.ask(i));
  const { inner, batch } = tickets.at(-1)!;
  expect({ inner, batch }).toEqual({ inner: "adamw", batch: 1 });
  expect(roundStatus(rules, run.state)).toMatchObject({ inner, batch });
});

test("training counts for no more than a delta took, whatever its volunteer says", () => {
  const run = new Driven(rules);
  run.accept(run.ask(1), 500, { steps: 1, trainMs: 86_400_000 });
  run.now = 1_000;
  run.send({ type: "tick" });
  run.settle();
  expect(roundStatus(rules, run.state)?.lately?.goodput).toBe(0.5);
});

test("reports nothing of rounds in a run on turns", () => {
  const run = new Driven(turns);
  run.accept(run.ask(1));
  run.accept(run.ask(2));
  run.settle();
  expect(run.state.version).toBe(1);
  expect(roundStatus(turns, run.state)).toBeNull();
});

test("reports what one more volunteer would add once a version has several similar deltas", () => {
  const run = new Driven(rules);
  const publish = (volunteers: number, meanNorm: number) => {
    const tickets = Array.from({ length: volunteers }, (_, i) => run.ask(i));
    for (const ticket of tickets) run.accept(ticket, run.now, { steps: 4, trainMs: 100, norm: 2 });
    run.now += 1_000;
    run.meanNorm = meanNorm;
    run.send({ type: "tick" });
    run.settle();
  };
  publish(1, 2);
  expect(roundStatus(rules, run.state)?.lately?.crowd, "a delta alone").toBeNull();
  publish(4, Math.sqrt(1.75)); // of four deltas of norm 2: ¼ × 4 + ¾ × 4 × cosine
  const { cosine, ...crowd } = roundStatus(rules, run.state)!.lately!.crowd!;
  expect(cosine).toBeCloseTo(0.25, 9);
  expect(crowd).toEqual({ oneMore: expect.closeTo(0.75 / 8, 9), useful: 12 });
  expect(roundStatus(rules, replay(rules, created, run.journal)), "after a restart").toEqual(
    roundStatus(rules, run.state),
  );
});
