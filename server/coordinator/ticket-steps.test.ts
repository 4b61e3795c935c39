import { expect, test } from "vitest";
import { stepsFor } from "./ticket-steps.ts";

const weight = { tokensPerStep: 256, deltaBytes: 64_000, diffBytes: 64_000 };
/** Bytes a second, from megabits. */
const mbit = (rate: number) => rate * 125_000;

test("who has measured nothing gets a ticket of usual length", () => {
  expect(stepsFor(weight, {}, 1, false)).toBe(10);
  expect(stepsFor(weight, { speed: 5_000 }, 1, false)).toBe(10);
});

test("a ticket is a second, or seven times what the link needs, in three to thirty steps", () => {
  const steps = (speed: number, up: number, down = 1_000) =>
    stepsFor(weight, { speed, uplink: mbit(up), downlink: mbit(down) }, 8, false);
  expect(steps(256 * 10, 1_000)).toBe(10); // 10 steps a second, a link that is no hindrance
  expect(steps(256 * 10, 2, 2_000_000)).toBe(18); // .256 s to send
  expect(steps(256 * 10, 2_000_000, 2)).toBe(18); // .256 s to fetch
  expect(steps(256 * 10, 2, 4)).toBe(27); // .384 s for both
  expect(steps(256 * 2, 20)).toBe(3); // a phone
  expect(steps(256 * 500, 1)).toBe(30); // a workstation behind a thin line
});

test("where more than eight are at work, tickets are shorter in proportion", () => {
  const steps = (working: number) =>
    stepsFor(weight, { speed: 256 * 20, uplink: mbit(1_000), downlink: mbit(1_000) }, working, false);
  expect([1, 8, 16, 40, 1_000].map(steps)).toEqual([20, 20, 10, 4, 3]);
});

test("who had to wait for its turn gets half of a ticket", () => {
  const steps = (crowded: boolean) =>
    stepsFor(weight, { speed: 256 * 20, uplink: mbit(1_000), downlink: mbit(1_000) }, 8, crowded);
  expect([false, true].map(steps)).toEqual([20, 10]);
});
