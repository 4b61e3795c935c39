import { describe, expect, it } from "vitest";
import {
  type Choices,
  DEFAULT_CHOICES,
  forgetChoices,
  loadChoices,
  PRESETS,
  presetOf,
  saveChoices,
} from "./choices.ts";

function storage(content?: string) {
  let kept: string | null = content ?? null;
  return {
    getItem: () => kept,
    setItem: (_: string, value: string) => {
      kept = value;
    },
    removeItem: () => {
      kept = null;
    },
  };
}

const CHOSEN: Choices = {
  consented: "9".repeat(64),
  wanted: "pause",
  pausedUntil: 1_800_000_000_000,
  startPaused: true,
  keepAwake: true,
  share: 0.3,
  pauseWhenHidden: true,
  pauseOnBattery: false,
  pauseOnSaver: true,
  pauseOnHeat: false,
  withPeers: true,
  hours: { from: 1_320, to: 420 },
};

describe("choices between visits", () => {
  it("come back as they were", () => {
    const kept = storage();
    saveChoices(kept, CHOSEN);
    expect(loadChoices(kept)).toEqual(CHOSEN);
    saveChoices(kept, { ...CHOSEN, hours: undefined });
    expect(loadChoices(kept).hours).toBeUndefined();
    forgetChoices(kept);
    expect(loadChoices(kept)).toEqual(DEFAULT_CHOICES);
  });

  it("are a preset while nothing of it was changed, whatever the hours", () => {
    expect(presetOf(DEFAULT_CHOICES)).toBe("balanced");
    expect(presetOf({ ...DEFAULT_CHOICES, ...PRESETS.allIn, hours: CHOSEN.hours })).toBe("allIn");
    expect(presetOf({ ...DEFAULT_CHOICES, share: 0.6 })).toBeUndefined();
  });

  it.each([
    "",
    "nonsense",
    "[]",
    JSON.stringify({ ...CHOSEN, share: 90 }),
    JSON.stringify({ ...CHOSEN, hours: { from: 0, to: 1_440 } }),
    JSON.stringify({ ...CHOSEN, pausedUntil: "tomorrow" }),
    JSON.stringify({ consented: true }),
  ])("count as never asked when storage holds %j", (content) =>
    expect(loadChoices(storage(content))).toEqual(DEFAULT_CHOICES),
  );

  it("start nothing by default", () => {
    expect(DEFAULT_CHOICES).toMatchObject({ consented: "", wanted: "stop" });
  });

  it("do without a storage that is denied or full", () => {
    const denied = {
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("full");
      },
      removeItem: () => {
        throw new Error("denied");
      },
    };
    expect(loadChoices(denied)).toEqual(DEFAULT_CHOICES);
    expect(() => saveChoices(denied, CHOSEN)).not.toThrow();
    expect(() => forgetChoices(denied)).not.toThrow();
    expect(loadChoices(undefined)).toEqual(DEFAULT_CHOICES);
  });
});
