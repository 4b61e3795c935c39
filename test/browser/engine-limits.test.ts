import { describe, expect, test } from "vitest";
import type { Inner, ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { halved } from "../../model/engine/halves.ts";
import { byBlock, type Recompute, selective } from "../../model/engine/recompute.ts";
import { fitTo } from "../../model/engine/webgpu/fit.ts";
import { type CodecSpec, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { codecOf } from "../../protocol/frame.ts";
import { relative, worstTensor } from "../ops-reference.ts";
import { oracleLossAndGradient } from "../oracle/oracle.ts";
import { aligned, clipped, cut, start, tiles, train, unclipped } from "./engine-jobs.ts";
import { modulePage } from "./module-page.ts";

/** What a device cannot bind, hold or go on with: cut into parts, or refused by name. */

const opened = modulePage("engine-page.ts");
const UNLIMITED = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 31 };

const run = (job: Parameters<typeof train>[1]) => train(opened, job);

test("a batch whose activations do not fit is accumulated from smaller ones, and a short one is padded", async () => {
  const ground = start(aligned, 5);
  const job = { shape: aligned, batch: 5, optimizer: unclipped, rate: 0, tiles, ...ground };
  const { gradient, loss } = oracleLossAndGradient(
    aligned,
    Float64Array.from(ground.weights),
    ground.batches[0]!,
    5,
  );
  // room for two of the five sequences: three micro-batches, the last one half empty
  const got = await run({ ...job, maxStorageBufferBindingSize: 120_000 });
  expect(got.submits).toBeGreaterThanOrEqual(3); // each in as many as its time asks for
  expect(got.losses[0]).toBeCloseTo(loss, 5);
  expect(got.evaluated).toBeCloseTo(loss, 5);
  const worst = worstTensor(
    aligned,
    got.m.map((m) => m * 10),
    gradient,
  );
  expect(worst.error, worst.name).toBeLessThan(1e-5);
});

describe("vectors that the device cannot bind lie in several buffers", () => {
  const { shape, narrow } = cut;
  const optimizer = { ...clipped, clip: 1 };
  const job = { batch: 2, rate: 3e-3, tiles };

  test.each<[Inner, CodecSpec[], ModelShape, number]>([
    ["adamw", [F32, DENSE4], shape, narrow],
    ["muon", [{ name: "topk", chunk: 256, k: 16, bits: 4 }], { ...shape, vocabulary: 4_001 }, 320_000],
  ])("and %s trains the same, and sends the same by %o", async (inner, codecs, shape, limit) => {
    const options = { ...job, shape, ...start(shape, 2, 3), optimizer: { ...optimizer, inner } };
    const whole = await run({ ...options, logits: 4, reloadAfter: 2 });
    const limits = { codecs, maxStorageBufferBindingSize: limit };
    const parts = await run({ ...options, ...limits, logits: 4, reloadAfter: 2 });
    expect(parts.dispatches).toBeGreaterThan(whole.dispatches); // else nothing was cut
    expect(parts.evaluated).toBeCloseTo(whole.evaluated, 5);
    for (const name of ["logits", "losses", "m", "v", "delta"] as const)
      expect(relative(parts[name], whole[name]), name).toBeLessThan(1e-4);
    const left = new Float32Array(parts.delta.length);
    for (const [i, codec] of codecs.entries()) {
      const total = parts.delta.map((value, at) => value + left[at]!);
      const wanted = codecOf(codec).encode(total, left);
      const sent = parts.sent[i]!;
      expect(Buffer.compare(sent.payload, wanted), codec.name).toBe(0);
      expect(
        sent.left.findIndex((value, at) => value !== left[at]),
        codec.name,
      ).toBe(-1);
    }
    expect(parts.sent).toHaveLength(codecs.length);
  });
});

test("what the device cannot bind is computed again in the backward pass: the same bits from more dispatches", async () => {
  const shape: ModelShape = { layers: 4, heads: 2, width: 16, context: 80, vocabulary: 39 };
  const job = { shape, batch: 2, optimizer: unclipped, rate: 1e-3, tiles, ...start(shape, 2, 2) };
  const bytesOf = (recompute?: Recompute) =>
    4 * fitTo({ ...job, micro: 1 }, UNLIMITED, undefined, recompute).lengths.activations;
  const whole = await run({ ...job, micro: 1 });
  const [kept, ...fewer] = [undefined, selective, byBlock].map(bytesOf) as [number, number, number];
  expect(4 * layoutOf(shape).length).toBeLessThan(fewer[1]); // else weights would be cut
  for (const [i, bytes] of fewer.entries()) {
    expect(bytes).toBeLessThan(kept);
    const limited = await run({ ...job, maxStorageBufferBindingSize: bytes });
    // two micro-batches
    expect(limited.dispatches - whole.dispatches).toBe(2 * [3, 6][i]! * shape.layers);
    for (const name of ["losses", "m", "v", "delta"] as const)
      expect(limited[name], name).toEqual(whole[name]);
  }
});

describe("what fits in f16 alone is kept in f16", () => {
  const shape: ModelShape = { layers: 3, heads: 2, width: 32, context: 80, vocabulary: 39 };
  const options = { shape, batch: 2, optimizer: { ...clipped, clip: 1 }, tiles };
  const job = { ...options, rate: 1e-3, ...start(shape, 2, 4) };
  const maxStorageBufferBindingSize =
    4 * fitTo({ ...options, micro: 1 }, UNLIMITED, undefined, halved).lengths.activations;
  let inF32: ReturnType<typeof run> | undefined;
  const wholeRun = () => (inF32 ??= run({ ...job, micro: 1 }));

  test("and trains nearly the same: a ticket's delta is far nearer than an audit lets it be", async () => {
    const whole = await wholeRun();
    const halves = await run({ ...job, maxStorageBufferBindingSize });
    expect(halves.dispatches - whole.dispatches).toBe(2 * 13 * shape.layers); // two micro-batches
    expect(halves.evaluated).toBe(whole.evaluated);
    expect(halves.losses[0]).toBe(whole.losses[0]);
    const worst = worstTensor(shape, halves.m, whole.m);
    expect(worst.error, worst.name).toBeLessThan(2e-3);
    const sum = (a: Float32Array, b: Float32Array) => a.reduce((total, value, i) => total + value * b[i]!, 0);
    const lengths = sum(halves.delta, halves.delta) * sum(whole.delta, whole.delta);
    const apart = 1 - sum(halves.delta, whole.delta) / Math.sqrt(lengths); // as model/audit/measure.ts has it
    expect(apart).toBeGreaterThan(0); // else nothing was in f16
    expect(apart).toBeLessThan(1e-6); // measured: 2e-8. Of audits: .1
  });

  test.each<[string, readonly [string, string]]>([
    ["two values of a word are swapped", ["unpack2x16float(words.y)", "unpack2x16float(words.y).yx"]],
    ["a scale is off by two", ["max(exponent, 15u) - 14u", "max(exponent, 15u) - 13u"]],
  ])("control: where %s, blocks are computed again instead", async (_, spoil) => {
    const whole = await wholeRun();
    const spoilt = await run({ ...job, maxStorageBufferBindingSize, spoil });
    expect(spoilt.dispatches - whole.dispatches).toBe(2 * 6 * shape.layers);
    for (const name of ["losses", "m", "v", "delta"] as const)
      expect(spoilt[name], name).toEqual(whole[name]);
  });
});

describe("refuses", () => {
  const options = { shape: aligned, batch: 2, optimizer: clipped, tiles };

  test("tokens outside the vocabulary and weights that are not finite, and goes on", async () => {
    const codes = await opened.page.evaluate(async (options) => {
      const trainer = await globalThis.engine.createWebgpuTrainer(options);
      const code = globalThis.engine.codeOf;
      const weights = new Float32Array(await globalThis.engine.lengthOf(options.shape));
      const tokens = new Uint16Array(2 * (options.shape.context + 1));
      const all = [await code(trainer.step(tokens, 2, 1e-3))];
      await trainer.load(weights);
      weights[7] = Number.NaN;
      all.push(await code(trainer.load(weights)), await code(trainer.load(weights.subarray(1))));
      tokens[3] = options.shape.vocabulary;
      all.push(await code(trainer.step(tokens, 2, 1e-3)), await code(trainer.evaluate(tokens, 2)));
      all.push(await code(trainer.logits(tokens.subarray(0, 5))));
      tokens[3] = 0;
      all.push(await code(trainer.step(tokens, 2, 1e-3)));
      trainer.dispose();
      trainer.dispose();
      all.push(await code(trainer.delta()));
      return all;
    }, options);
    expect(codes).toEqual([
      "bad-weights",
      "bad-weights",
      "bad-weights",
      "bad-token",
      "bad-token",
      "bad-token",
      "fine",
      "device-lost",
    ]);
  });

  test("everything once the device is lost, even what waits", async () => {
    const codes = await opened.page.evaluate(async (options) => {
      const adapter = await navigator.gpu.requestAdapter();
      const device = await adapter!.requestDevice();
      const trainer = await globalThis.engine.createWebgpuTrainer({ ...options, device });
      const code = globalThis.engine.codeOf;
      await trainer.load(new Float32Array(await globalThis.engine.lengthOf(options.shape)));
      const tokens = new Uint16Array(2 * (options.shape.context + 1));
      await trainer.step(tokens, 2, 1e-3);
      const waiting = trainer.delta();
      device.destroy();
      const all = [await code(waiting)];
      await device.lost;
      all.push(await code(trainer.step(tokens, 2, 1e-3)), await code(trainer.losses()));
      all.push(await code(trainer.evaluate(tokens, 2)), await code(trainer.carried()));
      all.push(await code(trainer.load(new Float32Array(await globalThis.engine.lengthOf(options.shape)))));
      return all;
    }, options);
    expect(codes).toEqual(Array(6).fill("device-lost"));
  });

  test("a model that the device cannot bind, naming the limit and what would fit", async () => {
    const message = await opened.page.evaluate(async (options) => {
      const shape = { ...options.shape, width: 4096, layers: 1 };
      const device = await (await navigator.gpu.requestAdapter())!.requestDevice();
      return globalThis.engine.createWebgpuTrainer({ ...options, shape, device }).then(
        () => "made",
        (error) => `${error.code}: ${error.message}`,
      );
    }, options);
    expect(message).toMatch(/device-limit: .*maxStorageBufferBindingSize is 128.0 MiB.*would fit/);
  });
});
