import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import type { AdamW } from "../contract/config.ts";
import { initialWeights } from "../contract/init.ts";
import type { DeviceName } from "../contract/trainer.ts";
import { Random } from "../lib/random.ts";
import { createReference } from "./reference.ts";

const optimizer: AdamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };

function someTokens(length: number, vocabulary: number): Uint16Array {
  const random = new Random(1);
  return Uint16Array.from({ length }, () => random.below(vocabulary));
}

describe("training from the first weights", () => {
  it("starts near ln V and learns one batch by heart", async () => {
    const shape = { layers: 2, heads: 2, width: 32, context: 16, vocabulary: 64 };
    const trainer = await createReference({ shape, optimizer, batch: 2, backend: "wasm" });
    await trainer.load(initialWeights(shape, 1));
    const tokens = someTokens(2 * 17, shape.vocabulary);
    for (let step = 0; step < 150; step++) await trainer.step(tokens, 2, 5e-3);
    const losses = await trainer.losses();
    expect(Math.abs(losses[0]! - Math.log(shape.vocabulary))).toBeLessThan(0.05);
    expect(losses.at(-1)).toBeLessThan(0.05);
    trainer.dispose();
  });

  it.each<DeviceName>(["wasm", "cpu"])("holds as much memory on %s after 200 steps", async (backend) => {
    const shape = { layers: 1, heads: 2, width: 8, context: 4, vocabulary: 16 };
    const trainer = await createReference({ shape, optimizer, batch: 1, backend });
    await trainer.load(initialWeights(shape, 1));
    const tokens = someTokens(5, shape.vocabulary);
    const ticket = async () => {
      for (let step = 0; step < 10; step++) await trainer.step(tokens, 1, 1e-3);
      await trainer.losses();
      await trainer.delta();
      await trainer.load(initialWeights(shape, 1), await trainer.carried());
      await trainer.evaluate(tokens, 1);
      await trainer.logits(tokens.subarray(0, 3));
      const { numTensors, numBytes, numDataBuffers } = tf.memory();
      return { numTensors, numBytes, numDataBuffers };
    };
    const first = await ticket();
    for (let tickets = 1; tickets < 20; tickets++) expect(await ticket()).toEqual(first);
    // A control: a step whose loss nobody read keeps one number more.
    await trainer.step(tokens, 1, 1e-3);
    expect(tf.memory().numTensors).toBe(first.numTensors + 1);
    trainer.dispose();
  });
});
