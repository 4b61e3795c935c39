import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import {
  oracleLogits,
  oracleLoss,
  oracleLossAndGradient,
  oracleState,
  oracleStep,
} from "../../../test/oracle/oracle.ts";
import { initialWeights } from "../../contract/init.ts";
import { layoutOf } from "../../contract/layout.ts";
import type { Trainer } from "../../contract/trainer.ts";
import { Random } from "../../lib/random.ts";
import { createReference } from "../../reference/reference.ts";
import { hasFma, loadKernels } from "./kernels.ts";
import { Replica } from "./replica.ts";
import { createWasmTrainer } from "./trainer.ts";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
/** Heads of 8, 12, 24 and 32, odd ones, contexts around the attention's blocks, vocabularies off the tiles. */
const shapes = [
  { layers: 2, heads: 2, width: 16, context: 16, vocabulary: 32 },
  { layers: 1, heads: 2, width: 24, context: 49, vocabulary: 67 },
  { layers: 2, heads: 3, width: 72, context: 31, vocabulary: 101 },
  { layers: 1, heads: 1, width: 32, context: 130, vocabulary: 57 },
  { layers: 3, heads: 3, width: 15, context: 7, vocabulary: 13 },
  { layers: 1, heads: 1, width: 1, context: 2, vocabulary: 3 },
  { layers: 1, heads: 2, width: 8, context: 300, vocabulary: 20 },
];
type Shape = (typeof shapes)[number];

/** Weights away from the initialisation, so that every gradient has something to say. */
function weightsOf(shape: Shape, seed = 1): Float32Array {
  const random = new Random(seed);
  return initialWeights(shape, seed).map((x) => 3 * x + 0.1 * (random.unit() - 0.5));
}

function tokensOf(shape: Shape, batch: number, seed = 2): Uint16Array {
  const random = new Random(seed);
  return Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(shape.vocabulary));
}

const norm = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, x) => sum + x * x, 0));

/** ‖a − b‖ / ‖b‖ */
function relative(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return norm(Array.from(a, (x, i) => x - b[i]!)) / norm(b);
}

async function replicaOf(shape: Shape, batch: number, fma: boolean, memoryLimit = 2 ** 30): Promise<Replica> {
  return new Replica(await loadKernels(fma), { shape, optimizer, batch, memoryLimit });
}

/** Older engines than package.json asks for have no relaxed SIMD. */
const builds = [
  { build: "plain", fma: false },
  { build: "FMA", fma: true },
].filter(({ fma }) => !fma || hasFma());

describe.each(builds)("the step on the $build build", ({ fma }) => {
  test.each(shapes)("has the oracle's gradient: %o", async (shape) => {
    for (const batch of [1, 3]) {
      const weights = weightsOf(shape);
      const tokens = tokensOf(shape, batch);
      const replica = await replicaOf(shape, batch, fma);
      replica.load(weights);
      const rows = batch * shape.context;
      const loss = replica.backward(tokens, batch, rows) / rows;
      const oracle = oracleLossAndGradient(shape, Float64Array.from(weights), tokens, batch);
      expect(Math.abs(loss / oracle.loss - 1)).toBeLessThan(1e-6);
      for (const { name, offset, length } of layoutOf(shape).tensors) {
        const [ours, theirs] = [replica.gradients, oracle.gradient].map((flat) =>
          flat.subarray(offset, offset + length),
        ) as [Float32Array, Float64Array];
        // a tensor whose true gradient is nil (a key's bias) is held to the whole gradient's scale
        const scale = Math.max(norm(theirs), 1e-3 * norm(oracle.gradient));
        const error = norm(Array.from(ours, (x, i) => x - theirs[i]!)) / scale;
        expect(error, name).toBeLessThan(1e-5);
      }
    }
  });

  test.each(shapes)("follows the oracle's loss for 20 steps: %o", async (shape) => {
    const trainer = await createWasmTrainer({ shape, optimizer, batch: 2, deterministic: !fma });
    const state = oracleState(weightsOf(shape));
    await trainer.load(weightsOf(shape));
    const expected: number[] = [];
    for (let i = 0; i < (shape.width > 16 ? 4 : 20); i++) {
      const tokens = tokensOf(shape, 2, 100 + (i % 3));
      await trainer.step(tokens, 2, 1e-3);
      expected.push(oracleStep(shape, state, optimizer, tokens, 2, 1e-3));
    }
    const losses = await trainer.losses();
    expect(losses.length).toBe(expected.length);
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-3);
    expect(await trainer.losses()).toHaveLength(0);
    const trained = weightsOf(shape).map((x, i) => x - state.weights[i]!);
    expect(relative(await trainer.delta(), trained)).toBeLessThan(2e-2);
    const moments = await trainer.carried();
    expect(moments.step).toBe(expected.length);
    expect(relative(moments.m, state.m)).toBeLessThan(1e-2);
  });
});

const [small, odd] = [shapes[0]!, shapes[4]!];

test("a step over many micro-batches has the gradient of the whole batch", async () => {
  const shape = { ...small, context: 64 };
  const whole = await replicaOf(shape, 7, false);
  const parts = await replicaOf(shape, 7, false, whole.bytes - 1_000_000);
  const [weights, tokens] = [weightsOf(shape), tokensOf(shape, 7)];
  const losses = [whole, parts].map((replica) => {
    replica.load(weights);
    return replica.backward(tokens, 7, 7 * 64);
  });
  expect(parts.bytes).toBeLessThan(whole.bytes - 999_999);
  expect(losses[1]).toBeCloseTo(losses[0]!, 3);
  expect(relative(parts.gradients, whole.gradients)).toBeLessThan(1e-6);
  expect(parts.evaluate(tokens, 7)).toBeCloseTo(whole.evaluate(tokens, 7), 3);
});

test.each(shapes)("evaluate and logits are the oracle's: %o", async (shape) => {
  const trainer = await createWasmTrainer({ shape, optimizer, batch: 2 });
  const weights = weightsOf(shape);
  await trainer.load(weights);
  const exact = Float64Array.from(weights);
  for (const batch of [2, 1]) {
    const tokens = tokensOf(shape, batch);
    const loss = await trainer.evaluate(tokens, batch);
    expect(Math.abs(loss - oracleLoss(shape, exact, tokens, batch))).toBeLessThan(1e-5);
  }
  for (const length of [1, shape.context >> 1, shape.context]) {
    const tokens = tokensOf(shape, 1).subarray(0, length);
    expect(relative(await trainer.logits(tokens), oracleLogits(shape, exact, tokens))).toBeLessThan(1e-5);
  }
});

test("the tfjs reference has the same loss curve", async () => {
  const options = { shape: { ...small, layers: 1 }, optimizer, batch: 3 };
  const trainers = [await createWasmTrainer(options), await createReference({ ...options, backend: "cpu" })];
  const curves = [];
  for (const trainer of trainers) {
    await trainer.load(weightsOf(options.shape));
    for (let i = 0; i < 20; i++) await trainer.step(tokensOf(small, 3, i % 2), 3, 3e-3);
    curves.push(await trainer.losses());
    trainer.dispose();
  }
  const [ours, theirs] = curves as [Float32Array, Float32Array];
  for (const [i, loss] of ours.entries()) expect(Math.abs(loss - theirs[i]!)).toBeLessThan(1e-3);
  expect(ours.at(-1)).toBeLessThan(ours[0]! - 0.3); // it does learn
});

test("the same ticket gives the same bytes, on a used trainer and on a new one", async () => {
  const run = async (trainer: Trainer) => {
    await trainer.load(weightsOf(odd));
    for (let i = 0; i < 5; i++) await trainer.step(tokensOf(odd, 3, i), 3, 1e-2);
    return { delta: await trainer.delta(), moments: await trainer.carried(), losses: await trainer.losses() };
  };
  const trainer = await createWasmTrainer({ shape: odd, optimizer, batch: 3 });
  const first = await run(trainer);
  expect(await run(trainer)).toEqual(first);
  expect(await run(await createWasmTrainer({ shape: odd, optimizer, batch: 3 }))).toEqual(first);
});

test("moments carried over go on as if nothing had happened", async () => {
  const options = { shape: odd, optimizer, batch: 2 };
  const [through, before, after] = await Promise.all([1, 2, 3].map(() => createWasmTrainer(options)));
  const steps = (trainer: Trainer, from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => trainer.step(tokensOf(odd, 2, from + i), 2, 1e-2));
  await through!.load(weightsOf(odd));
  await Promise.all(steps(through!, 0, 6));
  await before!.load(weightsOf(odd));
  await Promise.all(steps(before!, 0, 3));
  const delta = await before!.delta();
  const middle = weightsOf(odd).map((x, i) => x - delta[i]!);
  await after!.load(middle, await before!.carried());
  await Promise.all(steps(after!, 3, 6));
  expect(relative((await after!.carried()).v, (await through!.carried()).v)).toBeLessThan(1e-5);
  expect((await after!.carried()).step).toBe(6);
});

test("what was carried away stays what it was while the trainer trains on", async () => {
  const trainer = await createWasmTrainer({ shape: odd, optimizer, batch: 2 });
  await trainer.load(weightsOf(odd));
  await trainer.step(tokensOf(odd, 2, 0), 2, 1e-2);
  const { m, v, residual } = await trainer.carried();
  const then = [m.slice(), v.slice(), residual.slice()];
  await trainer.step(tokensOf(odd, 2, 1), 2, 1e-2);
  expect([m, v, residual]).toEqual(then);
  expect((await trainer.carried()).v, "the control: it did train").not.toEqual(v);
});

test("a thousand steps take no memory", async () => {
  const kernels = await loadKernels(false);
  const replica = new Replica(kernels, { shape: odd, optimizer, batch: 2, memoryLimit: 2 ** 30 });
  const planned = kernels.memory.buffer.byteLength;
  expect(planned).toBeGreaterThanOrEqual(replica.bytes);
  expect(planned).toBeLessThan(replica.bytes + 65_536);
  replica.load(weightsOf(odd));
  for (let i = 1; i <= 1000; i++) {
    replica.backward(tokensOf(odd, 2, i), 2, 14);
    replica.update(i, 1e-3);
  }
  expect(kernels.memory.buffer.byteLength).toBe(planned);
  expect(replica.parameters.byteLength).toBeGreaterThan(0); // a grown memory would have detached it
});

describe("refuses", () => {
  const make = () => createWasmTrainer({ shape: odd, optimizer, batch: 2 });
  const code = (expected: string) => expect.objectContaining({ name: "ModelError", code: expected });

  test("a token out of range, and leaves the weights alone", async () => {
    const trainer = await make();
    await trainer.load(weightsOf(odd));
    const tokens = tokensOf(odd, 2);
    tokens[3] = odd.vocabulary;
    await expect(trainer.step(tokens, 2, 1)).rejects.toEqual(code("bad-token"));
    await expect(trainer.evaluate(tokens, 2)).rejects.toEqual(code("bad-token"));
    await expect(trainer.logits(Uint16Array.of(odd.vocabulary))).rejects.toEqual(code("bad-token"));
    expect(norm(await trainer.delta())).toBe(0);
  });

  test("weights that are not finite or not as many", async () => {
    const trainer = await make();
    await expect(trainer.load(weightsOf(odd).fill(Number.NaN, 5, 6))).rejects.toEqual(code("bad-weights"));
    await expect(trainer.load(weightsOf(odd).subarray(1))).rejects.toEqual(code("bad-weights"));
    await expect(trainer.step(tokensOf(odd, 1), 1, 1)).rejects.toEqual(code("bad-weights"));
  });

  test("to train where it was opened for evaluation; its losses and logits are the same", async () => {
    const trainer = await createWasmTrainer({ shape: odd, optimizer, batch: 3, trains: false });
    await trainer.load(weightsOf(odd));
    const tokens = tokensOf(odd, 1);
    await expect(trainer.step(tokens, 1, 1e-3)).rejects.toThrow("for evaluation only");
    await expect(trainer.delta()).rejects.toThrow("for evaluation only");
    await expect(trainer.carried()).rejects.toThrow("for evaluation only");
    const control = await make();
    await control.load(weightsOf(odd));
    expect(await trainer.evaluate(tokens, 1)).toBe(await control.evaluate(tokens, 1));
    const sequence = tokens.subarray(0, odd.context);
    expect(await trainer.logits(sequence)).toEqual(await control.logits(sequence));
  });

  test("a model beyond memory, saying what would fit", async () => {
    const shape = { layers: 2, heads: 2, width: 64, context: 1024, vocabulary: 512 };
    const making = createWasmTrainer({ shape, optimizer, batch: 8, memoryLimit: 10 * 2 ** 20 });
    await expect(making).rejects.toEqual(code("device-limit"));
    await expect(making).rejects.toThrow(/needs \d+ MiB, the limit is 10 MiB: a context of 512 would fit/);
  });

  test("a browser without SIMD", async () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    await expect(make()).rejects.toEqual(code("device-unavailable"));
    vi.restoreAllMocks();
  });

  test("work after it was disposed of", async () => {
    const trainer = await make();
    trainer.dispose();
    trainer.dispose();
    await expect(trainer.load(weightsOf(odd))).rejects.toEqual(code("device-lost"));
  });
});

test("a NaN that arises in training shows in the loss instead of vanishing", async () => {
  const replica = await replicaOf(small, 1, false);
  replica.load(weightsOf(small).fill(Number.NaN, 700, 701));
  expect(replica.backward(tokensOf(small, 1), 1, 16)).toBeNaN();
});

test.each(["kernels", "kernels-fma"])("%s is at most 12 KB gzipped", async (name) => {
  const { KERNELS }: { KERNELS: string } = await import(`./${name}.generated.ts`);
  expect(gzipSync(Buffer.from(KERNELS, "base64")).length).toBeLessThan(12_000);
});
