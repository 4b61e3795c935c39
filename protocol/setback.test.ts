import { describe, expect, test } from "vitest";
import { setbackOf } from "./setback.ts";

const GUESSING = Math.log(512);
const curve = (...losses: number[]) => losses.map((loss, i) => ({ version: 10 * i, tokens: i, loss }));
const times = (count: number, loss: number) => new Array<number>(count).fill(loss);

describe("a run that gets worse", () => {
  test("is what most of eight measurements say, with the best version", () => {
    const points = curve(6.2, 5, ...times(8, 4.4), ...times(8, 5.1));
    expect(setbackOf(points, GUESSING)).toEqual({
      kind: "worse",
      loss: 5.1,
      best: { version: 30, loss: 4.4 },
    });
  });

  test("is reported after it has stayed worse, not after one to four bad versions", () => {
    const learned = [6.2, 5, ...times(12, 4.4)];
    expect(setbackOf(curve(...learned, 6, 6, 6, 6), GUESSING)).toBeUndefined();
    expect(setbackOf(curve(...learned, 6, 6, 6, 6, 6), GUESSING)?.kind).toBe("worse"); // the control
  });

  test("is one that stays above guessing, even if it never was below", () => {
    expect(setbackOf(curve(...times(8, 6.8)), GUESSING)?.kind).toBe("guessing");
    expect(setbackOf(curve(...times(8, 6.25)), GUESSING)).toBeUndefined(); // a random beginning
  });

  test("is none that learns, one that stands still and rises and falls by some percent, or one that has just begun", () => {
    expect(setbackOf(curve(6.2, 5.6, 5, 4.6, 4.4, 4.3, 4.2, 4.1, 4, 3.9, 3.8), GUESSING)).toBeUndefined();
    const noisy = Array.from({ length: 200 }, (_, i) => 4 * (1 + 0.05 * Math.sin(i * i)));
    expect(setbackOf(curve(...noisy), GUESSING)).toBeUndefined();
    expect(setbackOf(curve(...times(7, 9)), GUESSING)).toBeUndefined();
    expect(setbackOf([], GUESSING)).toBeUndefined();
  });

  test("is over when the newest measurements are near the best again", () => {
    const points = [6.2, ...times(8, 4.4), ...times(8, 5.1)];
    expect(setbackOf(curve(...points, ...times(3, 4.4)), GUESSING)?.kind).toBe("worse");
    expect(setbackOf(curve(...points, ...times(4, 4.4)), GUESSING)).toBeUndefined();
  });
});
