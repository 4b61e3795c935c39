import { expect, test } from "vitest";
import { rateAt, ratesOf } from "./learning-rates.ts";

const schedule = { learningRate: 0.01, warmupTokens: 100, tokenBudget: 1_100, finalRate: 0.1 };

test("rises linearly, falls as a cosine, ends at its floor and stays there", () => {
  expect(rateAt(schedule, 50)).toBeCloseTo(0.005, 12);
  expect(rateAt(schedule, 100)).toBeCloseTo(0.01, 12);
  expect(rateAt(schedule, 600)).toBeCloseTo(0.01 * 0.55, 12);
  expect(rateAt(schedule, 1_100)).toBeCloseTo(0.001, 12);
  expect(rateAt(schedule, 9_999)).toBeCloseTo(0.001, 12);
});

test("the first ticket of a run trains at rates above zero", () => {
  const rates = ratesOf(schedule, 0, 3, 10);
  expect(rates).toEqual([0.001, 0.002, 0.003]);
});

test("a crowd's ticket has warmed up in three steps, and goes on from there; the control: few count their own tokens", () => {
  const of = (tokens: number, crowd: boolean) => ratesOf(schedule, tokens, 4, 10, crowd);
  const thirds = [1, 2, 3, 3].map((part) => expect.closeTo((0.01 * part) / 3, 12));
  expect(of(0, true)).toEqual(thirds);
  expect(of(50, true).slice(1)).toEqual([0.01, 0.01, 0.01]);
  expect(of(0, false)).toEqual([0.001, 0.002, 0.003, 0.004]);
  expect(of(600, true), "behind the warm-up there is no difference").toEqual(of(600, false));
});

test("without a warm-up the first rate is the highest", () => {
  expect(rateAt({ ...schedule, warmupTokens: 0 }, 0)).toBe(0.01);
});
