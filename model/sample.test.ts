import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "./random.ts";
import { draw, exponential, generate } from "./sample.ts";

describe("sampling", () => {
  it("has an exponential that agrees with Math.exp", () => {
    fc.assert(
      fc.property(fc.double({ min: -600, max: 0, noNaN: true }), (x) => {
        expect(exponential(x)).toBeGreaterThanOrEqual(Math.exp(x) * (1 - 1e-12));
        expect(exponential(x)).toBeLessThanOrEqual(Math.exp(x) * (1 + 1e-12));
      }),
    );
    expect(exponential(0)).toBe(1);
    expect(exponential(Number.NEGATIVE_INFINITY)).toBe(0);
  });

  it("draws as often as the softmax says", () => {
    const logits = Float32Array.of(1, 2, 3, 0);
    const random = new Random(7);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[draw(logits, 0.8, 4, random)]!++;
    const odds = [...logits].map((logit) => Math.exp(logit / 0.8));
    const total = odds.reduce((a, b) => a + b);
    counts.forEach((count, token) => {
      expect(count / 20_000).toBeCloseTo(odds[token]! / total, 1);
    });
  });

  it("draws only from the likeliest, ties by id", () => {
    const logits = Float32Array.of(5, 1, 5, 5, 0);
    const random = new Random(1);
    const seen = new Set(Array.from({ length: 300 }, () => draw(logits, 1, 2, random)));
    expect(seen).toEqual(new Set([0, 2]));
    expect(draw(Float32Array.of(-3, 9, 2), 1, 1, random)).toBe(1);
  });

  it("writes what was asked, seeing the last context only, and the same for the same seed", async () => {
    const lengths: number[] = [];
    const trainer = {
      logits: async (tokens: Uint16Array) => {
        lengths.push(tokens.length);
        const rows = new Float32Array(tokens.length * 6);
        rows[(tokens.length - 1) * 6 + (((tokens.at(-1) ?? 0) + 1) % 6)] = 40; // the next id is all but certain
        return rows;
      },
    };
    const write = () =>
      generate(trainer, Uint16Array.of(1, 2), {
        shape: { context: 4, vocabulary: 6 },
        length: 5,
        temperature: 0.8,
        topK: 3,
        random: new Random(3),
      });
    expect([...(await write())]).toEqual([3, 4, 5, 0, 1]);
    expect(lengths).toEqual([2, 3, 4, 4, 4]);
    expect(await write()).toEqual(await write());
  });
});
