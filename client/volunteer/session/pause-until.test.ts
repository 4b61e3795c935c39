import { expect, test } from "vitest";
import { pauseEnd } from "./pause-until.ts";

const at = (...when: [number, number, number, number, number]) => new Date(...when).getTime();

test("a pause of half an hour or an hour is so long", () => {
  const now = at(2026, 10, 23, 23, 50);
  expect([pauseEnd("half-hour", now) - now, pauseEnd("hour", now) - now]).toEqual([1_800_000, 3_600_000]);
});

test.each([
  [at(2026, 10, 23, 14, 0), at(2026, 10, 24, 6, 0)],
  [at(2026, 10, 23, 0, 5), at(2026, 10, 24, 6, 0)],
  [at(2026, 11, 31, 23, 59), at(2027, 0, 1, 6, 0)],
])("until tomorrow is the morning of the calendar's next day", (now, end) =>
  expect(pauseEnd("tomorrow", now)).toBe(end),
);
