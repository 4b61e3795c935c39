import { describe, expect, test } from "vitest";
import { created, Driven, replay, rules as turns } from "../../test/harness/driven-run.ts";
import { ownBatch } from "./own-batch.ts";
import type { Rules } from "./rules.ts";

const SIZES = [1, 2, 4, 8, 16];
const most = { adamw: 4, muon: 16 };
const context = 10;
/** What a device measures whose steps take so many milliseconds. */
const measured = (msOf: (size: number) => number) => ({
  speeds: SIZES.map((size) => (1_000 * size * context) / msOf(size)),
});
const batchOf = (usual: number, pace: { speeds?: readonly number[] }, trainFor = 1_000) =>
  ownBatch({ most, context }, usual, pace, trainFor);

describe("T6: a volunteer's micro-batch", () => {
  const oneByOne = measured((size) => 10 * size);
  const atOnce = measured(() => 20);

  test("is the crowd's where nothing was measured, and where twice the sequences take twice the time", () => {
    expect([2, 4, 8, 16].map((usual) => batchOf(usual, {}))).toEqual([2, 4, 8, 16]);
    expect([2, 4, 8, 16].map((usual) => batchOf(usual, oneByOne))).toEqual([2, 4, 8, 16]);
  });

  test("is larger where more sequences take hardly longer, up to the largest of the run", () => {
    expect([1, 2, 8, 16].map((usual) => batchOf(usual, atOnce))).toEqual([16, 16, 16, 16]);
    const until4 = measured((size) => (size <= 4 ? 20 : 20 * size));
    expect(batchOf(2, until4)).toBe(4);
    const adamw = { most, context, inner: "adamw" } as const;
    expect(ownBatch(adamw, 2, atOnce, 1_000), "of a run that never has Muon inside").toBe(4);
    expect(ownBatch({ most, context, batch: 2 }, 2, atOnce, 1_000), "fixed by the run file").toBe(2);
    expect(batchOf(2, { speeds: atOnce.speeds.slice(0, 3) }), "only as far as it measured").toBe(4);
    expect(ownBatch({ most: { adamw: 6, muon: 12 }, context }, 3, atOnce, 1_000), "between two sizes").toBe(
      12,
    );
  });

  test("is not larger where too few steps would be left", () => {
    const slow = measured((size) => 200 + 20 * size);
    expect(batchOf(2, slow, 1_200)).toBe(4);
    expect(batchOf(2, slow, 1_100)).toBe(2);
  });

  test("is smaller where two steps are too long for its time, as far as that makes steps shorter", () => {
    const slow = measured((size) => 100 * size);
    expect([4, 8, 16].map((usual) => batchOf(usual, slow))).toEqual([4, 4, 4]);
    expect(batchOf(16, slow, 50)).toBe(1);
    expect(
      batchOf(
        16,
        measured(() => 900),
      ),
      "no size is faster",
    ).toBe(16);
    const { speeds } = slow;
    expect(batchOf(12, { speeds: speeds.slice(0, 4) }), "a little beyond the measured").toBe(3);
    expect(batchOf(16, { speeds: speeds.slice(0, 4) }), "far beyond them").toBe(16);
    expect(batchOf(1, { speeds: [1] }), "no smaller than one").toBe(1);
  });
});

test("T6: what a volunteer says of its speeds changes its own ticket alone, and a replay needs none of it", () => {
  const rules: Rules = {
    ...turns,
    rates: (_, steps) => Array(steps).fill(0.1),
    rounds: { most, context: turns.context, sendings: [{ codec: { name: "f32" }, bytes: 1_000 }] },
  };
  const { speeds } = measured(() => 5);
  const [run, control] = [new Driven(rules), new Driven(rules)];
  const liar = run.ask(1, { speeds: [1e-300, 1e12, 1e12, 1e12, 1e12], speed: 1e12 });
  const fast = run.ask(2, { speeds });
  const old = run.ask(3, {});
  const [first, second, third] = [control.ask(1), control.ask(2), control.ask(3)];
  expect([first.batch, second.batch, third.batch]).toEqual([16, 8, 8]);
  expect([fast.batch, liar.batch]).toEqual([16, 16]);
  expect(liar.steps, "as many as any").toBe(30);
  expect(old).toEqual(third);
  expect(run.state.round).toBe(control.state.round);
  run.now = 900;
  for (const terms of [liar, fast, old]) run.accept(terms, 900, 2);
  run.settle();
  expect(replay(rules, created, run.journal)).toMatchObject({
    hash: run.state.hash,
    tokens: run.state.tokens,
  });
});
