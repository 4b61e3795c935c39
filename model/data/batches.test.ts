import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesOf, windowsOf } from "./batches.ts";

const ranges = fc.record({
  window: fc.nat(10_000),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  steps: fc.integer({ min: 1, max: 8 }),
  batch: fc.integer({ min: 1, max: 4 }),
});
/** A shard whose every token is its own place. */
const placed = (length: number) => Uint16Array.from({ length }, (_, i) => i);

describe("batchesOf", () => {
  it("yields the same for the same ticket: whole windows of the shard, each with its last target", () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 2, max: 20 }), fc.nat(300), (range, context, more) => {
        const shard = placed(context + 1 + more);
        const batches = [...batchesOf(shard, range, context)];
        expect(batches).toEqual([...batchesOf(shard, range, context)]);
        expect(batches).toHaveLength(range.steps);
        const phases = new Set<number>();
        for (const tokens of batches) {
          expect(tokens).toHaveLength(range.batch * (context + 1));
          for (let row = 0; row < range.batch; row++) {
            const window = tokens.subarray(row * (context + 1), (row + 1) * (context + 1));
            const start = window[0]!;
            expect([...window]).toEqual([...shard.subarray(start, start + context + 1)]);
            phases.add(start % context);
          }
        }
        expect(phases.size).toBe(1); // one phase a ticket: its windows never overlap
      }),
    );
  });

  it("takes each window of a pass once, and wraps only after the last", () => {
    const context = 8;
    const shard = placed(8 * 30);
    const range = { window: 17, seed: 5, steps: 7, batch: 4 };
    const starts = [...batchesOf(shard, range, context)].flatMap((tokens) =>
      [0, 1, 2, 3].map((row) => tokens[row * (context + 1)]!),
    );
    expect(new Set(starts).size).toBe(28);
  });

  it("shuffles by the seed", () => {
    const range = { window: 0, seed: 1, steps: 4, batch: 4 };
    const of = (seed: number) => [...batchesOf(placed(1000), { ...range, seed }, 8)];
    expect(of(1)).not.toEqual(of(2));
    const starts = of(1).flatMap((tokens) => [0, 1, 2, 3].map((row) => tokens[row * 9]!));
    expect(starts).not.toEqual(starts.toSorted((a, b) => a - b));
  });

  it("refuses a shard under one context", () => {
    const range = { window: 0, seed: 1, steps: 1, batch: 1 };
    const refusal = expect.objectContaining({ code: "bad-shape" });
    for (const length of [0, 1, 8]) {
      expect(() => batchesOf(placed(length), range, 8).next()).toThrow(refusal);
    }
    expect(batchesOf(placed(9), range, 8).next().value).toEqual(placed(9));
  });

  it("counts whole windows", () => {
    expect([0, 1, 8, 9, 16, 17].map((tokens) => windowsOf(tokens, 8))).toEqual([0, 0, 0, 1, 1, 2]);
  });
});
