import { describe, expect, it } from "vitest";
import { heatTeller, within } from "./rests.ts";

describe("chosen hours", () => {
  it.each([
    [{ from: 60, to: 120 }, 60, true],
    [{ from: 60, to: 120 }, 119, true],
    [{ from: 60, to: 120 }, 120, false],
    [{ from: 1_320, to: 420 }, 1_380, true],
    [{ from: 1_320, to: 420 }, 0, true],
    [{ from: 1_320, to: 420 }, 420, false],
    [{ from: 1_320, to: 420 }, 1_319, false],
    [{ from: 0, to: 0 }, 700, true],
  ])("%j at minute %d: %s", (hours, minute, inside) => expect(within(hours, minute)).toBe(inside));
});

describe("heat", () => {
  it("is pressure that lasts, and passes only when it has stayed away", () => {
    const told: boolean[] = [];
    const hear = heatTeller((hot) => told.push(hot));
    const say = (state: string, times: number) => {
      for (let i = 0; i < times; i++) hear(state);
    };
    say("critical", 3);
    say("nominal", 1);
    say("critical", 3);
    expect(told).toEqual([]);
    say("critical", 1);
    expect(told).toEqual([true]);
    say("fair", 11);
    say("critical", 1);
    say("fair", 11);
    expect(told).toEqual([true]);
    say("serious", 1);
    expect(told).toEqual([true, false]);
  });
});
