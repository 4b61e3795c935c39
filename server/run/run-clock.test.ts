import { expect, test } from "vitest";
import { RunClock } from "./run-clock.ts";

test("goes on from the journal's last event, in whole milliseconds, and stands while the server is down", () => {
  let now = 5_000.25;
  const clock = new RunClock(() => now, 700);
  expect([clock.now(), clock.up]).toEqual([700, 0]);
  now += 12.5;
  expect([clock.now(), clock.up]).toEqual([712, 12.5]);
});

test("is never behind what another server has said, and never goes back for it", () => {
  let now = 0;
  const clock = new RunClock(() => now, 100);
  clock.reach(250);
  expect(clock.now()).toBe(250);
  clock.reach(180);
  now = 10;
  expect(clock.now()).toBe(260);
});

test("a machine's clock that goes back takes the run's no further back than its start", () => {
  let now = 1_000;
  const clock = new RunClock(() => now, 40);
  now = 400;
  expect([clock.now(), clock.up]).toEqual([40, 0]);
});
