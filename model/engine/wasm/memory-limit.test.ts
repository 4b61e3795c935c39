import { expect, test } from "vitest";
import { memoryFor } from "./memory-limit.ts";

const GIB = 2 ** 30;

test("a large model may take half of the machine's memory, up to what addresses reach, and what is usual at least", () => {
  const of = (deviceMemory: number) => memoryFor({ deviceMemory }) / GIB;
  expect([0.5, 2, 4, 8, 32].map(of)).toEqual([1, 1, 2, 4, 4]);
});

test("where nobody says how much there is, a phone keeps to what is usual", () => {
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148";
  const desktop = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0";
  expect([memoryFor({ userAgent: phone }), memoryFor({ userAgent: desktop }), memoryFor(undefined)]).toEqual([
    GIB,
    4 * GIB,
    4 * GIB,
  ]);
});
