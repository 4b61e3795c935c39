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

test("without a warm-up the first rate is the highest", () => {
  expect(rateAt({ ...schedule, warmupTokens: 0 }, 0)).toBe(0.01);
});
