import { expect, test } from "vitest";
import { killedAt } from "./harness/kill-sweep.ts";

/** Of the changes that a run of five versions makes to its files; `npm run bench -- kills` takes every one. */
const SAMPLE = [0, 3, 9, 17, 24, 38, 55, 71, 98];

test("A1: a real process killed with −9 in the middle of a write, sync or rename loses no receipted delta", {
  timeout: 180_000,
}, async () => {
  const outcomes = [];
  for (const at of SAMPLE) outcomes.push(await killedAt(at));
  for (const outcome of outcomes) expect(outcome).toMatchObject({ killed: true, lost: 0, twice: 0 });
  expect(outcomes.some(({ receipts }) => receipts > 10)).toBe(true);
  // The control: without a kill the run comes to its end.
  expect(await killedAt(1_000_000)).toMatchObject({ killed: false, lost: 0, twice: 0 });
});
