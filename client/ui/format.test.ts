import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatBytes,
  formatChoices,
  formatCount,
  formatDuration,
  formatLarge,
  formatLoss,
  formatPart,
  formatProbability,
  plural,
} from "./format.ts";

describe("numbers for people", () => {
  it.each([
    [0, "0"],
    [950, "950"],
    [999.6, "1.00 k"],
    [12_345, "12.3 k"],
    [123_456, "123 k"],
    [3_400_000, "3.40 M"],
    [999_999, "1.00 M"],
    [7.2e15, "7200 T"],
  ])("%d is %s", (value, shown) => expect(formatLarge(value)).toBe(shown));

  it("counts traffic in decimal units", () => {
    expect(formatBytes(1)).toBe("1 B");
    expect(formatBytes(151_616)).toBe("152 kB");
    expect(formatBytes(1_141_248)).toBe("1.14 MB");
  });

  it.each([
    [800, "0.8 s"],
    [9_960, "10 s"],
    [75_000, "75 s"],
    [600_000, "10 min"],
    [7_200_000, "2 h"],
  ])("%d ms is %s", (ms, shown) => expect(formatDuration(ms)).toBe(shown));

  it("never calls a chance none, nor none a chance", () => {
    expect(formatProbability(0.0001)).toBe("<1%");
    expect(formatProbability(0)).toBe("0%");
    expect(formatProbability(0.237)).toBe("24%");
  });

  it("puts a loss into choices, and a small part into per cent", () => {
    expect(formatChoices(Math.log(2))).toBe("2.0");
    expect(formatChoices(Math.log(512))).toBe("512");
    expect(formatPart(0.00421)).toBe("0.42%");
    expect(formatPart(0.314)).toBe("31%");
    expect(formatPart(0)).toBe("0%");
  });

  it("groups digits and counts things", () => {
    expect(formatCount(1_234_567)).toBe("1,234,567");
    expect(plural(1, "volunteer")).toBe("1 volunteer");
    expect(plural(1_000, "volunteer")).toBe("1,000 volunteers");
    expect(formatLoss(5.1284)).toBe("5.13");
  });

  it("keeps three figures at any size", () => {
    fc.assert(
      fc.property(fc.double({ min: 1_000, max: 9e14, noNaN: true }), (value) => {
        const [figures = "", unit] = formatLarge(value).split(" ");
        expect(figures.replace(".", "")).toMatch(/^\d{3}$/);
        expect(["k", "M", "G", "T"]).toContain(unit);
      }),
    );
  });
});
