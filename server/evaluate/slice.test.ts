import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batched, heldOutSlice } from "./slice.ts";

const text = (length: number) => Uint16Array.from({ length }, (_, i) => i);

describe("the held-out slice", () => {
  it("is windows of the text, none twice, in order, at most as many as asked", () => {
    fc.assert(
      fc.property(fc.integer({ min: 9, max: 2_000 }), fc.integer({ min: 1, max: 50 }), (length, most) => {
        const windows = heldOutSlice(text(length), 8, most, 5);
        expect(windows).toHaveLength(Math.min(most, Math.floor((length - 1) / 8)));
        const starts = windows.map((window) => window[0]!);
        for (const [i, window] of windows.entries()) {
          expect(starts[i]! % 8).toBe(0);
          expect([...window]).toEqual(Array.from({ length: 9 }, (_, j) => starts[i]! + j));
        }
        expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
      }),
    );
  });

  it("is fixed by the seed, and another for another", () => {
    const starts = (seed: number) => heldOutSlice(text(1_000), 8, 10, seed).map((window) => window[0]);
    expect(starts(1)).toEqual(starts(1));
    expect(starts(1)).not.toEqual(starts(2));
  });

  it("refuses a text under one context", () => {
    expect(() => heldOutSlice(text(8), 8, 1, 1)).toThrow(RangeError);
  });

  it("is laid side by side in batches that lose nothing", () => {
    const windows = heldOutSlice(text(200), 4, 21, 1);
    const batches = batched(windows, 8);
    expect(batches.map(({ rows }) => rows)).toEqual([8, 8, 5]);
    expect(batches.flatMap(({ tokens }) => [...tokens])).toEqual(windows.flatMap((window) => [...window]));
  });
});
