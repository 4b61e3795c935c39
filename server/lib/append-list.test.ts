import { expect, test } from "vitest";
import { AppendList } from "./append-list.ts";

test("an item more leaves every older list as it was, also where two lists grow from one", () => {
  const empty = AppendList.of<number>([]);
  const one = empty.with(1);
  const two = one.with(2);
  const other = one.with(9).with(10);
  expect([empty, one, two, other].map((list) => [...list])).toEqual([[], [1], [1, 2], [1, 9, 10]]);
  expect([two.at(0), two.at(-1), two.at(2), two.at(-3), one.at(1)]).toEqual([
    1,
    2,
    undefined,
    undefined,
    undefined,
  ]);
  expect([one.some((n) => n === 2), two.some((n) => n === 2)]).toEqual([false, true]);
  expect([one.findLast(() => true), two.findLast((n) => n < 2)]).toEqual([1, 1]);
  expect([two.find((n) => n > 1), one.find((n) => n > 1)]).toEqual([2, undefined]);
  expect(one.map((n) => n + 1)).toEqual([2]);
  expect(other.flatMap((n) => [n, n])).toEqual([1, 1, 9, 9, 10, 10]);
  expect(two.filter((n) => n > 1)).toEqual([2]);
  expect(JSON.stringify(other)).toBe("[1,9,10]");
});

test("the array that a list is made of may change", () => {
  const array = [1, 2];
  const list = AppendList.of(array);
  array.push(3);
  expect([...list.with(4)]).toEqual([1, 2, 4]);
});

test("appending does not copy: the newest list shares its items with the one before", () => {
  let list = AppendList.of<number>([]);
  let slices = 0;
  const { slice } = Array.prototype;
  Array.prototype.slice = function (...args) {
    slices++;
    return slice.apply(this, args);
  };
  try {
    for (let i = 0; i < 1_000; i++) list = list.with(i);
  } finally {
    Array.prototype.slice = slice;
  }
  expect([list.length, slices]).toEqual([1_000, 0]);
});
