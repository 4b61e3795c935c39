import { expect, it } from "vitest";
import { LATE_PART } from "../client/trainer/carry.ts";
import { batchesOf } from "../model/batches.ts";
import { createWasmTrainer } from "../model/engine/wasm/trainer.ts";
import { initialWeights } from "../model/init.ts";
import { DENSE4 } from "../protocol/codec/codec.ts";
import { examine } from "../server/evaluate/examine.ts";
import { verdictOf } from "../server/trust/audit.ts";
import { NO_TRUST } from "../server/trust/standing.ts";
import { prose } from "./corpus-fixture.ts";

/**
 * A page that was frozen comes back with a delta that is too late. What the volunteer adds of it to the next one must not
 * make that look bad: measured as an audit measures, on a model that has learnt for a while.
 */
const shape = { layers: 1, heads: 2, width: 48, context: 32, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const [steps, batch, rate] = [10, 4, 0.014];
const rates = Array.from({ length: steps }, () => rate);
const text = Uint16Array.from(new TextEncoder().encode(prose(60_000)), (byte) => byte);
const [train, gate] = [text.subarray(0, 50_000), text.subarray(50_000)];
const minus = (weights: Float32Array, delta: Float32Array, times = 1) =>
  weights.map((value, i) => value - times * delta[i]!);

it("the delta after one that came too late gains about as much as any, and half of it, or less, were that one added whole", async () => {
  const trainer = await createWasmTrainer({ shape, optimizer, batch, deterministic: true });
  const work = async (weights: Float32Array, window: number, carried?: "kept") => {
    await trainer.load(weights, carried);
    for (const tokens of batchesOf(train, { window, seed: window, steps, batch }, shape.context)) {
      await trainer.step(tokens, batch, rate);
    }
    await trainer.losses();
    return trainer.delta();
  };
  let weights: Float32Array = initialWeights(shape, 1);
  for (let n = 0; n < 30; n++)
    weights = minus(weights, await work(weights, 40 * n, n === 0 ? undefined : "kept"), 0.5);
  const gains = { alone: 0, late: 0, whole: 0 };
  for (let n = 0; n < 4; n++) {
    const late = await work(weights, 40 * n + 7, "kept");
    for (let version = 0; version < 5; version++)
      weights = minus(weights, await work(weights, 211 * n + 40 * version, "kept"), 0.5);
    const ticket = { window: 300 + 40 * n, seed: 9 + n, steps, batch, rates, fresh: false };
    const next = await work(weights, ticket.window, "kept");
    const own = await (async () => {
      await trainer.load(weights, "kept");
      for (const tokens of batchesOf(train, ticket, shape.context)) await trainer.step(tokens, batch, rate);
      await trainer.losses();
      return trainer.delta();
    })();
    expect(next).toHaveLength(own.length);
    const parts = { alone: 0, late: LATE_PART * 0.95 ** 5, whole: 0.95 ** 5 };
    for (const [name, part] of Object.entries(parts)) {
      const delta = minus(own, late, -part);
      const job = { ticket, shard: train, weights, delta, codec: DENSE4, seed: n, batches: 1 };
      const evidence = await examine(trainer, gate, shape.context, job);
      gains[name as keyof typeof gains] += evidence.assigned.before - evidence.assigned.after;
      if (name === "late") expect(verdictOf(evidence, steps, NO_TRUST).verdict).toBe("good");
    }
    await trainer.load(weights, "kept");
  }
  trainer.dispose();
  expect(gains.late).toBeGreaterThan(0.9 * gains.alone);
  expect(gains.whole).toBeLessThan(0.75 * gains.alone);
}, 60_000);
