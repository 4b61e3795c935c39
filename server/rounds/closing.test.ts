import { expect, test } from "vitest";
import { quorumOf, waitOf } from "./closing.ts";

test("the quorum is half of those at work, and never under the run's own", () => {
  expect([0, 1, 8, 9, 21].map((active) => quorumOf(4, active))).toEqual([4, 4, 4, 5, 11]);
});

test("the wait follows how long deltas take, from 2 to 40 seconds", () => {
  expect(waitOf([])).toBe(2_000);
  expect(waitOf([100, 100, 100])).toBe(2_000);
  // median 10,000; absolute deviations 1,000, 0, 1,000: median 1,000
  expect(waitOf([9_000, 10_000, 11_000])).toBe(13_000);
  // one straggler among many moves neither median
  expect(waitOf([9_000, 10_000, 10_000, 11_000, 600_000])).toBe(13_000);
  expect(waitOf([50_000, 60_000])).toBe(40_000);
});
