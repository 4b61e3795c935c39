import { expect, test } from "vitest";
import { measure, medianOf } from "./measure.ts";
import { BATCH, CONFIGS, type Stepper } from "./workload.ts";

/** A stepper whose steps take the given times on a clock of their own. */
function scripted(times: number[]) {
  let now = 0;
  let staged = 0;
  const stepper: Stepper = {
    detail: "",
    dispatches: null,
    stage: (tokens) => {
      expect(tokens).toHaveLength(BATCH * (CONFIGS.tiny.context + 1));
      staged++;
      now += 1000; // not part of any step
    },
    step: async () => {
      now += times[staged - 1] ?? 1;
      return staged;
    },
  };
  return { stepper, clock: () => now };
}

const run = (times: number[], budget: Parameters<typeof measure>[2], told: number[] = []) => {
  const { stepper, clock } = scripted(times);
  return measure(stepper, CONFIGS.tiny, budget, clock, (step) => told.push(step));
};

test("warm-ups do not count, and every step is reported", async () => {
  const told: number[] = [];
  const got = await run([900, 10, 30, 20], { warmups: 1, least: 3, most: 3, ms: 0 }, told);
  expect(got).toEqual({ median: 20, steps: 3, losses: [1, 2, 3, 4] });
  expect(told).toEqual([1, 2, 3, 4]);
});

test("goes on until the time is spent, within least and most", async () => {
  const budget = { warmups: 0, least: 2, most: 5, ms: 100 };
  expect((await run([500, 500, 500], budget)).steps).toBe(2);
  expect((await run([50, 50, 50, 50], budget)).steps).toBe(2);
  expect((await run([30, 30, 30, 30, 30], budget)).steps).toBe(4);
  expect((await run([1, 1, 1, 1, 1, 1], budget)).steps).toBe(5);
});

test("the median of an even number lies between the middle two", () => {
  expect(medianOf([4, 1, 3, 2])).toBe(2.5);
});
