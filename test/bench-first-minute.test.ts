import { expect, test } from "vitest";
import { worstRise } from "../bench/first-minute/versions.ts";

test("the worst rise is over the lowest of all earlier versions, and not counted before the run has settled", () => {
  expect(worstRise([6, 7, 9, 5, 4, 4.25, 4.125, 4.5, 3], 3)).toBe(0.5);
  expect(worstRise([6, 7, 9, 5, 4, 4.25, 4.125, 4.5, 3], 0)).toBe(3);
  expect(worstRise([6, 5, 4, 3, 2, 1], 3)).toBe(0);
  expect(worstRise([6, 5], 3)).toBe(0);
});
