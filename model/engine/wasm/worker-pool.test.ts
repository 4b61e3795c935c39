import { afterEach, describe, expect, test } from "vitest";
import { initialWeights } from "../../contract/init.ts";
import type { Trainer } from "../../contract/trainer.ts";
import { Random } from "../../lib/random.ts";
import { createWasmTrainer } from "./trainer.ts";
import { sharesOf } from "./worker-pool.ts";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const shape = { layers: 2, heads: 2, width: 16, context: 12, vocabulary: 29 };

const open: Trainer[] = [];
afterEach(() => {
  for (const trainer of open.splice(0)) trainer.dispose();
});

async function make(threads: number, batch = 5): Promise<Trainer> {
  const trainer = await createWasmTrainer({ shape, optimizer, batch, threads, deterministic: true });
  open.push(trainer);
  await trainer.load(initialWeights(shape, 1));
  return trainer;
}

function tokensOf(batch: number, seed: number): Uint16Array {
  const random = new Random(seed);
  return Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(shape.vocabulary));
}

async function train(trainer: Trainer, batch = 5): Promise<{ delta: Float32Array; losses: Float32Array }> {
  for (let i = 0; i < 6; i++) await trainer.step(tokensOf(batch, i), batch, 1e-2);
  return { delta: await trainer.delta(), losses: await trainer.losses() };
}

describe("threads", () => {
  test("agree with one thread except in the order of sums", async () => {
    const alone = await train(await make(1));
    const together = await train(await make(3));
    const scale = Math.max(...alone.delta.map(Math.abs));
    for (const [i, value] of together.delta.entries())
      expect(Math.abs(value - alone.delta[i]!)).toBeLessThan(1e-3 * scale);
    for (const [i, loss] of together.losses.entries()) expect(loss).toBeCloseTo(alone.losses[i]!, 4);
  });

  test("give the same bytes every time for the same number", async () => {
    expect(await train(await make(2))).toEqual(await train(await make(2)));
  });

  test("are at most as many as the sequences, and may have nothing to do", async () => {
    const trainer = await make(8, 2);
    expect(trainer.report.detail).toBe("2 threads, SIMD");
    const single = await train(trainer, 1);
    expect(single.losses).toEqual((await train(await make(1), 1)).losses);
  });

  test("run steps in the order they were asked for", async () => {
    const awaited = await train(await make(2));
    const trainer = await make(2);
    const steps = Array.from({ length: 6 }, (_, i) => trainer.step(tokensOf(5, i), 5, 1e-2));
    const [delta, losses] = await Promise.all([trainer.delta(), trainer.losses(), ...steps]);
    expect({ delta, losses }).toEqual(awaited);
  });

  test("that are gone reject what waits and what follows", async () => {
    const trainer = await make(3);
    const step = trainer.step(tokensOf(5, 1), 5, 1e-2);
    await Promise.resolve(); // the step has begun
    trainer.dispose();
    await expect(step).rejects.toMatchObject({ code: "device-lost" });
    await expect(trainer.delta()).rejects.toMatchObject({ code: "device-lost" });
  });
});

test("shares cover the batch, the larger first", () => {
  expect(sharesOf(5, 3)).toEqual([2, 2, 1]);
  expect(sharesOf(4, 2)).toEqual([2, 2]);
  expect(sharesOf(1, 2)).toEqual([1, 0]);
});
