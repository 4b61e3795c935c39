import { expect, test } from "vitest";
import { drawId, numbersFrom } from "./draws.ts";

/** Bytes 1, 2, 3 and so on, as a view of a larger buffer: what a pool of random bytes gives out. */
function counting() {
  const pool = Uint8Array.from({ length: 64 }, (_, i) => i);
  let next = 1;
  return (bytes: number) => {
    next += bytes;
    return pool.subarray(next - bytes, next);
  };
}

test("a number is made of the bytes that were drawn for it, wherever these lie", () => {
  const draw = numbersFrom(counting());
  expect([draw(), draw()]).toEqual([0x04030201, 0x08070605]);
  expect(numbersFrom(() => new Uint8Array(4).fill(255))()).toBe(2 ** 32 - 1);
});

test("an id is made of sixteen bytes, and another one of the next", () => {
  const random = counting();
  expect([drawId(random), drawId(random)]).toEqual(["AQIDBAUGBwgJCgsMDQ4PEA", "ERITFBUWFxgZGhscHR4fIA"]);
});
