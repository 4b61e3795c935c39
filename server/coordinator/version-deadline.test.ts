import { expect, test } from "vitest";
import { closesAt, expectedWithin, heldUntil, quorumOf } from "./version-deadline.ts";

test("the quorum is three in four of those at work, never under the run's own, and 64 at most", () => {
  expect([0, 1, 2, 3, 4, 8, 50, 500].map((working) => quorumOf(1, working))).toEqual([
    1, 1, 2, 3, 3, 6, 38, 64,
  ]);
  expect(quorumOf(5, 2)).toBe(5);
  expect(quorumOf(100, 500)).toBe(100);
});

const ALONE = { least: 1, working: 1, usual: 1 };
const EIGHT = { least: 1, working: 8, usual: 8 };
const SECOND = [1_000, 1_000, 1_000];

test("a version closes with the delta of the last at work, and not without one", () => {
  expect(closesAt({ opened: 0, came: [], took: SECOND }, ALONE)).toBe(Number.POSITIVE_INFINITY);
  expect(closesAt({ opened: 0, came: [700], took: SECOND }, ALONE)).toBe(700);
  expect(closesAt({ opened: 0, came: [1, 2, 3, 4, 5, 6, 7, 8], took: SECOND }, EIGHT)).toBe(8);
  expect(closesAt({ opened: 0, came: [700], took: SECOND }, { least: 2, working: 1, usual: 1 })).toBe(2_000);
});

test("with its quorum it closes a moment later", () => {
  expect(closesAt({ opened: 0, came: [900, 910, 920, 930, 940, 950], took: SECOND }, EIGHT)).toBe(1_050);
  expect(closesAt({ opened: 0, came: [900, 910, 920, 930, 940, 950, 960], took: SECOND }, EIGHT)).toBe(1_050);
});

test("the deadline follows how long deltas take from when the version opened, 40 seconds at most", () => {
  const deadline = (opened: number, first: number, took: number[]) =>
    closesAt({ opened, came: [first], took }, EIGHT);
  expect(deadline(100, 250, [])).toBe(750); // half a second for whoever comes at about the same time
  expect(deadline(100, 250, [1_000, 2_000, 3_000])).toBe(100 + 2_500);
  expect(deadline(100, 2_550, [1_000, 2_000, 3_000])).toBe(2_550 + 500);
  // one straggler among many does not move the median
  expect(deadline(0, 0, [9_000, 10_000, 10_000, 11_000, 600_000])).toBe(12_500);
  expect(deadline(0, 0, [50_000, 60_000])).toBe(40_000);
});

test("a delta is expected from who takes a quarter longer than the median", () => {
  expect(expectedWithin([1_000, 1_000, 5_000], 4)).toBe(1_250);
  expect(expectedWithin([], 4)).toBe(0);
});

test("where two or three are at work each is waited for twice as long as deltas take", () => {
  expect([1, 3, 3.5].map((usual) => expectedWithin(SECOND, usual))).toEqual([2_000, 2_000, 1_250]);
  const two = { least: 1, working: 2, usual: 2 };
  expect(closesAt({ opened: 0, came: [700], took: SECOND }, two)).toBe(2_000);
  expect(closesAt({ opened: 0, came: [700], took: SECOND }, { ...two, usual: 8 })).toBe(1_250);
});

test("who sent waits for the version as long as a delta takes, but not where it has just opened", () => {
  expect(heldUntil(1_000, 1_149, 1_500)).toBe(1_149);
  expect(heldUntil(1_000, 1_150, 1_500)).toBe(2_650);
  expect(heldUntil(1_000, 900, 1_500)).toBe(900); // it crossed with the closing of the version before
});
