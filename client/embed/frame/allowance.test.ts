import { signal } from "@preact/signals";
import { describe, expect, it } from "vitest";
import { allowance } from "./allowance.ts";

function memory() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
}

describe("a day's allowance", () => {
  it("is used up by all of a day's pages together, and is whole again the next day", () => {
    const storage = memory();
    const open = (day: string) => {
      const traffic = signal(0);
      const spent = allowance({ budget: 100, traffic: () => traffic.value, storage, today: () => day });
      return { traffic, spent };
    };
    const first = open("Monday");
    first.traffic.value = 60;
    expect(first.spent.value).toBe(false);
    const second = open("Monday");
    expect(second.spent.value).toBe(false);
    second.traffic.value = 40;
    expect(second.spent.value).toBe(true);
    expect(open("Monday").spent.value).toBe(true);
    expect(open("Tuesday").spent.value).toBe(false);
  });

  it("is never used up where there is none, and counts the page alone without storage", () => {
    const traffic = () => 1e12;
    const today = () => "";
    expect(allowance({ budget: null, traffic, storage: undefined, today }).value).toBe(false);
    expect(allowance({ budget: 5, traffic, storage: undefined, today }).value).toBe(true);
    expect(allowance({ budget: 0, traffic: () => 0, storage: undefined, today }).value).toBe(true);
  });
});
