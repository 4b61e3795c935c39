import { expect, test } from "vitest";
import { expectedWithin, quorumOf, waitOf } from "./closing.ts";

test("the quorum is one delta for each at work, never under the run's own, and 16 at most", () => {
  expect([0, 1, 8, 9, 50].map((working) => quorumOf(4, working))).toEqual([4, 4, 8, 9, 16]);
  expect(quorumOf(20, 50)).toBe(20);
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

test("a delta is expected from who takes half as long again as most, or as long as they differ", () => {
  expect(expectedWithin([1_000, 1_000, 1_000])).toBe(1_500);
  expect(expectedWithin([1_000, 2_000, 3_000])).toBe(5_000);
});
