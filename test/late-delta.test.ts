import { expect, it } from "vitest";
import { LATE_PART } from "../client/worker/local-state-reducer.ts";
import { initialWeights } from "../model/contract/init.ts";
import { batchesOf, type Range } from "../model/data/batches.ts";
import { createWasmTrainer } from "../model/engine/wasm/trainer.ts";
import { DENSE4 } from "../protocol/codec/codec.ts";
import { examine } from "../server/evaluate/examine.ts";
import { prose } from "./corpus-fixture.ts";
import { plus } from "./harness/float-vectors.ts";

/**
 * A page that was frozen comes back with a delta that is too late. What the volunteer adds of it to the next one must not
 * make that look bad: measured as an audit measures, on a model that has learnt for a while.
 */
const shape = { layers: 1, heads: 2, width: 48, context: 32, vocabulary: 256 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const [steps, batch, rate] = [10, 4, 0.006];
const rates = Array.from({ length: steps }, () => rate);
const text = Uint16Array.from(new TextEncoder().encode(prose(60_000)), (byte) => byte);
const [train, gate] = [text.subarray(0, 50_000), text.subarray(50_000)];
/** The run's residual decay over the five versions that a delta is too late by. */
const AGED = 0.95 ** 5;

const rangeAt = (window: number): Range => ({ window, seed: window, steps, batch });

it("the delta after one that came too late helps about as much as any; were that one added back whole, it would harm", async () => {
  const trainer = await createWasmTrainer({ shape, optimizer, batch, deterministic: true });
  const work = async (weights: Float32Array, window: number) => {
    await trainer.load(weights, weights === start ? undefined : "kept");
    for (const tokens of batchesOf(train, rangeAt(window), shape.context))
      await trainer.step(tokens, batch, rate);
    await trainer.losses();
    return trainer.delta();
  };
  const start: Float32Array = initialWeights(shape, 1);
  let weights = start;
  let window = 0;
  const next = () => {
    window += 40;
    return window;
  };
  /** Others' work, merged: half of a delta stands for the mean of several. */
  const publish = async (versions: number) => {
    for (; versions > 0; versions--) weights = plus(weights, await work(weights, next()), -0.5);
  };
  await publish(30);
  const gains = { alone: 0, late: 0, whole: 0 };
  for (let n = 0; n < 4; n++) {
    const late = await work(weights, next());
    await publish(5);
    const own = await work(weights, next());
    const parts = { alone: 0, late: LATE_PART * AGED, whole: AGED };
    for (const [name, part] of Object.entries(parts) as [keyof typeof gains, number][]) {
      const ticket = { ...rangeAt(window), rates, fresh: false };
      const delta = plus(own, late, part);
      const job = { ticket, shard: train, weights, delta, codec: DENSE4, seed: n, batches: 2 };
      const { assigned } = await examine(trainer, gate, shape.context, job);
      gains[name] += assigned.before - assigned.after;
    }
  }
  trainer.dispose();
  expect(gains.alone).toBeGreaterThan(0);
  expect(gains.late).toBeGreaterThan(0.9 * gains.alone);
  expect(gains.whole).toBeLessThan(0); // the control: an audit finds "no gain", and its author loses its trust
}, 60_000);
