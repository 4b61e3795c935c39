import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "../lib/random.ts";
import { generate, logitsRow, sampleToken, topGuesses } from "./generate.ts";

const rows = fc
  .array(fc.float({ min: -40, max: 40, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map((values) => Float32Array.from(values));

/** A model that always expects the token after the last one it saw, and remembers what it was shown. */
function successor(vocabulary: number) {
  const shown: number[][] = [];
  return {
    shown,
    logits: async (tokens: Uint16Array) => {
      shown.push([...tokens]);
      const logits = new Float32Array(tokens.length * vocabulary);
      tokens.forEach((token, i) => {
        logits[i * vocabulary + ((token + 1) % vocabulary)] = 20;
      });
      return logits;
    },
  };
}

async function take(tokens: AsyncGenerator<number>, count: number): Promise<number[]> {
  const taken: number[] = [];
  for await (const token of tokens) if (taken.push(token) === count) break;
  return taken;
}

describe("generate", () => {
  it("writes on from the last row, and shows the model no more than its context", async () => {
    const model = successor(10);
    const written = await take(generate(model, 3, [5, 6], { temperature: 0, topK: 1, seed: 1 }), 5);
    expect(written).toEqual([7, 8, 9, 0, 1]);
    expect(model.shown).toEqual([
      [5, 6],
      [5, 6, 7],
      [6, 7, 8],
      [7, 8, 9],
      [8, 9, 0],
    ]);
    const long = generate(successor(10), 3, [1, 2, 3, 4, 5], { temperature: 0, topK: 1, seed: 1 });
    expect(await take(long, 1)).toEqual([6]);
  });

  it("writes the same for the same seed, and otherwise for another", async () => {
    const flat = { logits: async (tokens: Uint16Array) => new Float32Array(tokens.length * 50) };
    const text = (seed: number) => take(generate(flat, 4, [0], { temperature: 1, topK: 50, seed }), 20);
    expect(await text(1)).toEqual(await text(1));
    expect(await text(1)).not.toEqual(await text(2));
  });

  it("refuses an empty prompt and a temperature that means nothing", async () => {
    const bad = (prompt: number[], temperature: number, topK: number) =>
      expect(
        take(generate(successor(4), 3, prompt, { temperature, topK, seed: 1 }), 1),
      ).rejects.toMatchObject({ code: "bad-shape" });
    await bad([], 1, 1);
    await bad([1], -1, 1);
    await bad([1], Number.NaN, 1);
    await bad([1], 1, 0);
  });
});

describe("sampleToken", () => {
  it("draws each of the k likeliest as often as its probability, and no other", () => {
    const row = Float32Array.from([Math.log(1), Math.log(6), Math.log(2), Math.log(0.5)]);
    const random = new Random(1);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) counts[sampleToken(row, { temperature: 1, topK: 2 }, random)]!++;
    expect(counts[0]! + counts[3]!).toBe(0);
    expect(Math.abs(counts[1]! / 20_000 - 6 / 8)).toBeLessThan(0.016); // 5 σ
    // Temperature ½ squares the odds.
    const bold = [0, 0, 0, 0];
    for (let i = 0; i < 20_000; i++) bold[sampleToken(row, { temperature: 0.5, topK: 4 }, random)]!++;
    expect(Math.abs(bold[1]! / 20_000 - 36 / 41.25)).toBeLessThan(0.012);
  });

  it("never draws a token beyond the given vocabulary, even the likeliest; control: without one it does", () => {
    const row = Float32Array.of(1, 2, 9);
    const draw = (vocabulary?: number) =>
      sampleToken(row, { temperature: 0, topK: 3, ...(vocabulary && { vocabulary }) }, new Random(1));
    expect(draw(2)).toBe(1);
    expect(draw()).toBe(2);
  });

  it("always names a token of the row", () => {
    fc.assert(
      fc.property(
        rows,
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.nat(70),
        fc.nat(),
        (row, temperature, k, seed) => {
          const token = sampleToken(row, { temperature, topK: k + 1 }, new Random(seed));
          expect(token >= 0 && token < row.length && Number.isInteger(token)).toBe(true);
        },
      ),
    );
  });
});

describe("topGuesses", () => {
  it("is softmax's k largest, best first", () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), (row, k) => {
        const most = Math.max(...row);
        const sum = row.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
        const guesses = topGuesses(row, k);
        expect(guesses).toHaveLength(Math.min(k, row.length));
        for (const [i, { token, probability }] of guesses.entries()) {
          expect(Math.abs(probability - Math.exp(row[token]! - most) / sum)).toBeLessThan(1e-12);
          if (i > 0) expect(row[token]!).toBeLessThanOrEqual(row[guesses[i - 1]!.token]!);
        }
        if (k >= row.length)
          expect(guesses.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
      }),
    );
  });
});

it("says so when the logits are not numbers", () => {
  expect(() => topGuesses(Float32Array.of(1, Number.NaN), 1)).toThrow(
    expect.objectContaining({ code: "bad-weights" }),
  );
});

it("logitsRow finds a position's row", () => {
  expect([...logitsRow(Float32Array.from([1, 2, 3, 4, 5, 6]), 3, 1)]).toEqual([3, 4]);
});
