import fc from "fast-check";
import { expect, test } from "vitest";
import type { Hash } from "../../protocol/ids.ts";
import { Ranges } from "./ranges.ts";

const hash = (n: number) => String(n).padStart(64, "0") as Hash;
const shards = [
  { hash: hash(1), tokens: 8 * 10 + 1 },
  { hash: hash(2), tokens: 8 * 7 + 1 },
  { hash: hash(3), tokens: 5 },
];

test("an epoch hands out every range once, and the next one in another order", () => {
  const ranges = new Ranges(shards, 4, 8, 1);
  expect(ranges.epochLength).toBe(3 + 2); // ten windows in fours, seven in fours, none
  const epoch = (n: number) => Array.from({ length: 5 }, (_, i) => JSON.stringify(ranges.at(n * 5 + i)));
  expect(new Set(epoch(0)).size).toBe(5);
  expect(new Set(epoch(1))).toEqual(new Set(epoch(0)));
  const orders = new Set(Array.from({ length: 8 }, (_, n) => epoch(n).join()));
  expect(orders.size).toBeGreaterThan(4);
});

test("a position names the same range whatever was asked before", () => {
  const forth = new Ranges(shards, 4, 8, 9);
  const back = new Ranges(shards, 4, 8, 9);
  const positions = Array.from({ length: 40 }, (_, i) => i);
  const there = positions.map((position) => forth.at(position));
  const again = positions.toReversed().map((position) => back.at(position));
  expect(again.toReversed()).toEqual(there);
});

test("a ticket's seed gives its position back", () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(u32, u32, (seed, position) => {
      const ranges = new Ranges(shards, 4, 8, seed);
      expect(ranges.positionOf(ranges.seedOf(position))).toBe(position);
    }),
  );
});

test("no text: nothing to hand out, and asking for it is an error", () => {
  const ranges = new Ranges([{ hash: hash(1), tokens: 3 }], 4, 8, 1);
  expect(ranges.epochLength).toBe(0);
  expect(() => ranges.at(0)).toThrow(RangeError);
});

test("short tickets come to all of the text over the epochs: each begins within its range by chance", () => {
  const ranges = new Ranges(shards, 4, 8, 1, true);
  const epochs = Array.from({ length: 200 }, (_, position) => ranges.at(position));
  const begun = epochs.filter(({ shard }) => shard === hash(1)).map(({ window }) => window);
  expect(new Set(begun)).toEqual(new Set(Array.from({ length: 12 }, (_, window) => window)));
  expect(ranges.at(17)).toEqual(ranges.at(17));
});

test("text that is added comes in at its position: those before keep their ranges, and each epoch goes on whole", () => {
  const before = new Ranges(shards, 4, 8, 1);
  const after = before
    .extended(7, [{ hash: hash(4), tokens: 8 * 12 + 1 }])
    .extended(20, [{ hash: hash(5), tokens: 8 * 8 + 1 }]);
  const at = (ranges: Ranges, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => JSON.stringify(ranges.at(from + i)));
  expect(at(after, 0, 7)).toEqual(at(before, 0, 7));
  // Two of the second epoch's five ranges were out; the other three come with the three new ones.
  const rest = at(after, 7, 13);
  expect(new Set([...at(before, 5, 7), ...rest]).size).toBe(8);
  expect(rest).not.toEqual([...at(before, 7, 10), ...rest.slice(3)]);
  // The next epoch has seven of its eight out, when two more come.
  const second = at(after, 20, 23);
  expect(new Set([...at(after, 13, 20), ...second]).size).toBe(10);
  expect(new Set(at(after, 23, 33)).size).toBe(10);
  expect(new Set(at(after, 33, 43))).toEqual(new Set(at(after, 23, 33)));
  expect(after.epochLength).toBe(10);
  expect(
    new Set(Array.from({ length: 30 }, (_, i) => JSON.stringify(after.at(after.positionFor(i))))).size,
  ).toBe(10);
  expect(() => after.extended(19, [])).toThrow(RangeError);
});

test("text of weight two comes twice an epoch, of weight a half every other one, all of it in turn", () => {
  const ranges = new Ranges(
    [
      { hash: hash(1), tokens: 8 * 16 + 1, weight: 0.5 },
      { hash: hash(2), tokens: 8 * 8 + 1, weight: 2 },
      { hash: hash(3), tokens: 8 * 4 + 1 },
    ],
    4,
    8,
    1,
  );
  expect(ranges.epochLength).toBe(2 + 4 + 1);
  const epoch = (n: number) => Array.from({ length: 7 }, (_, i) => ranges.at(7 * n + i));
  const ofFirst = (n: number) => epoch(n).flatMap(({ shard, window }) => (shard === hash(1) ? [window] : []));
  expect(epoch(0).filter(({ shard }) => shard === hash(2))).toHaveLength(4);
  expect(new Set(epoch(0).map((range) => JSON.stringify(range))).size).toBe(5);
  expect([...ofFirst(0), ...ofFirst(1)].sort((a, b) => a - b)).toEqual([0, 4, 8, 12]);
});
