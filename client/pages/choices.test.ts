import { describe, expect, it } from "vitest";
import { type Choices, DEFAULT_CHOICES, loadChoices, saveChoices } from "./choices.ts";

function storage(content?: string) {
  let kept: string | null = content ?? null;
  return {
    getItem: () => kept,
    setItem: (_: string, value: string) => {
      kept = value;
    },
  };
}

const CHOSEN: Choices = {
  consented: "9".repeat(64),
  wanted: "pause",
  share: 0.3,
  pauseWhenHidden: true,
  pauseOnBattery: false,
};

describe("choices between visits", () => {
  it("come back as they were", () => {
    const kept = storage();
    saveChoices(kept, CHOSEN);
    expect(loadChoices(kept)).toEqual(CHOSEN);
  });

  it.each([
    "",
    "nonsense",
    "[]",
    JSON.stringify({ ...CHOSEN, share: 90 }),
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
    };
    expect(loadChoices(denied)).toEqual(DEFAULT_CHOICES);
    expect(() => saveChoices(denied, CHOSEN)).not.toThrow();
    expect(loadChoices(undefined)).toEqual(DEFAULT_CHOICES);
  });
});
