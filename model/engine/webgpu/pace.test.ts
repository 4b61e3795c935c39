import fc from "fast-check";
import { expect, test } from "vitest";
import { endOfSubmit, estimate, MAX_SUBMIT_MS, Pace, SLOWEST } from "./pace.ts";

test("submits hold as much as the budget allows, never more unless it is one dispatch, and nothing is left out", () => {
  const costs = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(costs, fc.double({ min: 0.1, max: 150, noNaN: true }), (costs, budget) => {
      const sum = (from: number, end: number) => costs.slice(from, end).reduce((a, b) => a + b, 0);
      let from = 0;
      while (from < costs.length) {
        const end = endOfSubmit(costs, from, budget);
        expect(end).toBeGreaterThan(from);
        if (end > from + 1) expect(sum(from, end)).toBeLessThanOrEqual(budget * (1 + 1e-9));
        if (end < costs.length) expect(sum(from, end + 1)).toBeGreaterThan(budget * (1 - 1e-9));
        from = end;
      }
      expect(from).toBe(costs.length);
    }),
  );
});

test("until something is measured estimates hold; then they follow what was measured last", () => {
  const pace = new Pace();
  expect([pace.known, pace.budget, pace.expect(7)]).toEqual([false, MAX_SUBMIT_MS, 7]);
  pace.note(100, 10);
  expect([pace.known, pace.budget, pace.expect(8)]).toEqual([true, 10 * MAX_SUBMIT_MS, 0.8]);
  for (let i = 0; i < 8; i++) pace.note(100, 400);
  expect(pace.budget).toBe(MAX_SUBMIT_MS / 4);
});

test("where completions arrive late and several steps end at once, their sum counts", () => {
  const pace = new Pace();
  for (const took of [100, 0, 0, 0]) pace.note(1_000, took);
  expect(pace.expect(1_000)).toBeCloseTo(25, 9);
  const idle = new Pace();
  idle.note(1_000, 0);
  expect(idle.budget).toBeLessThan(Number.POSITIVE_INFINITY);
});

test("a dispatch takes as long as its arithmetic or its memory, and five times the arithmetic one value at a time", () => {
  const rates = { flops: 1e9, bytes: 1e9, dispatch: 0.1 };
  const ms = (flops: number, bytes: number, unit: 1 | 4 = 4) =>
    estimate({ work: { flops, bytes }, unit }, rates);
  expect(ms(1e9, 5e8)).toBeCloseTo(1_000, 0);
  expect(ms(1e8, 5e8)).toBeCloseTo(500, 0);
  expect(ms(1e9, 5e8, 1)).toBeCloseTo(5_000, 0);
  expect(ms(0, 0)).toBe(0.1);
  expect(SLOWEST.software.flops).toBeLessThan(SLOWEST.hardware.flops);
});
