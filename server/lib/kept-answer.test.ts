import { expect, it } from "vitest";
import { KeptAnswer } from "./kept-answer.ts";

/** Counts how often an answer was made. */
function counted(forMs: number) {
  const kept = new KeptAnswer<number>(forMs);
  let made = 0;
  return { kept, get: (now: number) => kept.get(now, () => ++made) };
}

it("keeps an answer for its time, and makes it again after a change", () => {
  const { kept, get } = counted(5_000);
  expect([get(0), get(4_999), get(5_000)]).toEqual([1, 1, 2]);
  kept.changed();
  expect([get(5_001), get(5_002)]).toEqual([3, 3]);
});

it("one who changes something again and again has it made ten times, and then once a second", () => {
  const { kept, get } = counted(5_000);
  get(0);
  for (let now = 0; now < 1_000; now += 10) {
    kept.changed();
    get(now);
  }
  expect(get(999)).toBe(11);
  expect(get(1_000), "what was changed last is seen a second later").toBe(12);
  expect(get(4_000), "and stays").toBe(12);
});
