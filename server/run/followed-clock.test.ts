import { expect, test } from "vitest";
import { FollowedClock } from "./followed-clock.ts";

test("the run clock that is heard of goes on for three seconds, never back, and is another server's with its first word", () => {
  let now = 0;
  const clock = new FollowedClock(() => now);
  expect([clock.known, clock.now()]).toEqual([false, 0]);
  clock.hear("one", 5_000);
  now += 400;
  expect([clock.known, clock.now()]).toEqual([true, 5_400]);
  clock.hear("one", 5_300); // it was long on its way
  expect(clock.now()).toBe(5_400);
  now += 60_000;
  expect(clock.now(), "nobody leads: the run stands still").toBe(8_400);
  clock.hear("two", 6_000);
  expect(clock.now()).toBe(6_000);
});
