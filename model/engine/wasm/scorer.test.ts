import { describe, expect, it } from "vitest";
import { initialWeights } from "../../contract/init.ts";
import { logitsRow } from "../../decode/generate.ts";
import { Random } from "../../lib/random.ts";
import { scoringSchedule } from "../scoring.ts";
import { needsOf } from "./device.ts";
import { loadKernels } from "./kernels.ts";
import { Replica } from "./replica.ts";
import { Scorer } from "./scorer.ts";
import { createWasmTrainer } from "./trainer.ts";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const shapes = [
  { layers: 2, heads: 2, width: 16, context: 16, vocabulary: 32 },
  { layers: 1, heads: 2, width: 24, context: 49, vocabulary: 67 },
  { layers: 1, heads: 1, width: 1, context: 2, vocabulary: 3 },
  { layers: 1, heads: 2, width: 8, context: 300, vocabulary: 20 },
];
type Shape = (typeof shapes)[number];

async function scorerOf(shape: Shape, batch = 2) {
  const trainer = await createWasmTrainer({ shape, optimizer, batch, deterministic: true, trains: false });
  const random = new Random(3);
  await trainer.load(initialWeights(shape, 1).map((x) => 3 * x + 0.1 * (random.unit() - 0.5)));
  return { trainer, scorer: new Scorer(trainer, shape) };
}

const drawn = (length: number, below: number, seed: number): Uint16Array => {
  const random = new Random(seed);
  return Uint16Array.from({ length }, () => random.below(below));
};

/** −log softmax(row)[token], in doubles. */
function lossOf(row: Float32Array, token: number): number {
  const most = Math.max(...row);
  return most - row[token]! + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}

describe("a scorer", () => {
  it.each(shapes)("finds the losses that each sequence has by itself: %o", async (shape) => {
    const { trainer, scorer } = await scorerOf(shape);
    for (const length of [1, Math.ceil(shape.context / 3), shape.context]) {
      const sequences = Math.floor(scorer.rows / length);
      const tokens = drawn(sequences * length, shape.vocabulary, length);
      // Guesses out of order, and two after one row.
      const count = Math.min(scorer.rows, 9);
      const rows = Uint32Array.from(drawn(count, tokens.length, 7)).toReversed();
      rows[count - 1] = rows[0]!;
      const targets = drawn(count, shape.vocabulary, 8);
      const losses = await scorer.losses(tokens, length, { rows, targets });
      expect(losses).toHaveLength(count);
      for (const [i, row] of rows.entries()) {
        const first = row - (row % length);
        const logits = await trainer.logits(tokens.slice(first, first + length));
        expect(losses[i]).toBeCloseTo(lossOf(logitsRow(logits, length, row - first), targets[i]!), 4);
      }
      expect(await scorer.losses(tokens, length, { rows, targets }), "again").toEqual(losses);
    }
  });

  it("leaves the loss of whole windows as it was, to the bit", async () => {
    const [shape] = shapes as [Shape];
    const { trainer, scorer } = await scorerOf(shape);
    const windows = drawn(2 * (shape.context + 1), shape.vocabulary, 5);
    const before = await trainer.evaluate(windows, 2);
    await scorer.losses(Uint16Array.of(1, 2), 2, { rows: Uint32Array.of(1), targets: Uint16Array.of(3) });
    expect(await trainer.evaluate(windows, 2)).toBe(before);
  });

  it.each(shapes)("needs no more memory than the trainer has: %o", async (shape) => {
    const kernels = await loadKernels(false);
    const needs = needsOf(kernels);
    const batch = 2;
    const replica = new Replica(kernels, { shape, optimizer, batch, memoryLimit: 2 ** 30, optimizes: false });
    const rows = replica.micro * shape.context;
    for (const length of [1, Math.ceil(shape.context / 3), shape.context]) {
      const { arenas } = scoringSchedule(shape, Math.floor(rows / length), length, rows, needs);
      expect(arenas.activations).toBeLessThanOrEqual(replica.arenas.activations);
      expect(arenas.tokens).toBeLessThanOrEqual(replica.arenas.tokens);
      expect(arenas.scratch).toBeLessThanOrEqual(replica.arenas.scratch);
    }
  });

  it("refuses what is no batch, with a code", async () => {
    const [shape] = shapes as [Shape];
    const { scorer } = await scorerOf(shape);
    const ask = (tokens: number[], length: number, rows: number[], targets: number[]) =>
      scorer.losses(Uint16Array.from(tokens), length, {
        rows: Uint32Array.from(rows),
        targets: Uint16Array.from(targets),
      });
    for (const wrong of [
      ask([1, 2, 3], 2, [0], [0]),
      ask([], 1, [0], [0]),
      ask([1], 0, [0], [0]),
      ask(Array(17).fill(1), 17, [0], [0]),
      ask(Array(33).fill(1), 1, [0], [0]),
      ask([1, 2], 2, [], []),
      ask([1, 2], 2, [2], [0]),
      ask([1, 2], 2, [0, 1], [0]),
      ask([1, 2], 2, Array(33).fill(0), Array(33).fill(0)),
    ])
      await expect(wrong).rejects.toMatchObject({ code: "bad-shape" });
    await expect(ask([32], 1, [0], [0])).rejects.toMatchObject({ code: "bad-token" });
    await expect(ask([1], 1, [0], [32])).rejects.toMatchObject({ code: "bad-token" });
  });
});
