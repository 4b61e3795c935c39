import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AdamW, Inner, ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { byBlock, type Recompute, selective } from "../../model/engine/recompute.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { fitTo } from "../../model/engine/webgpu/fit.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { candidates, waysOf } from "../../model/engine/webgpu/tuning.ts";
import { Random } from "../../model/lib/random.ts";
import { type CodecSpec, DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { codecOf, decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { examine } from "../../server/evaluate/examine.ts";
import { verdictOf } from "../../server/trust/audit.ts";
import { NO_TRUST } from "../../server/trust/standing.ts";
import { relative, worstTensor } from "../ops-reference.ts";
import { oracleLogits, oracleLossAndGradient, oracleState, oracleStep } from "../oracle/oracle.ts";
import type { Job } from "./engine-page.ts";
import { type ModulePage, openModulePage } from "./module-page.ts";

let opened: ModulePage;
let page: Page;

beforeAll(async () => {
  opened = await openModulePage("engine-page.ts");
  page = opened.page;
});

afterAll(() => opened.close());

const small: Tile = { kind: "register", m: 4, n: 4, depth: 4, down: 4, across: 4 };
const tiles = { NN: small, NT: small, TN: small };
const aligned: ModelShape = { layers: 2, heads: 2, width: 16, context: 20, vocabulary: 39 };
const ragged: ModelShape = { layers: 1, heads: 3, width: 9, context: 7, vocabulary: 11 };
/** One whose first moment is a tenth of the gradient itself. */
const unclipped: AdamW = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1e9 };
const clipped: AdamW = { ...unclipped, epsilon: 1e-4, clip: 0.5 };

const UNLIMITED = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 31 };

function start(shape: ModelShape, batch: number, steps = 1) {
  const random = new Random(11);
  const weights = Float32Array.from({ length: layoutOf(shape).length }, () => (random.unit() - 0.5) * 0.4);
  const length = batch * (shape.context + 1);
  const batches = Array.from({ length: steps }, () =>
    Uint16Array.from({ length }, () => random.below(shape.vocabulary)),
  );
  return { weights, batches };
}

/** Runs a job in the page: see engine-page.ts. */
async function run(job: Omit<Job, "weights" | "batches"> & ReturnType<typeof start>) {
  const plain = { ...job, weights: [...job.weights], batches: job.batches.map((tokens) => [...tokens]) };
  return page.evaluate((plain) => globalThis.engine.train(plain), plain);
}

describe.each([
  ["aligned", aligned, 3],
  ["ragged", ragged, 3],
])("%s, against the f64 oracle", (_, shape, batch) => {
  test("loss, every tensor's gradient, evaluation and logits", async () => {
    const ground = start(shape, batch);
    const job = { shape, batch, optimizer: unclipped, rate: 0, tiles, ...ground };
    const got = await run({ ...job, logits: 5 });
    const weights = Float64Array.from(ground.weights);
    const { loss, gradient } = oracleLossAndGradient(shape, weights, ground.batches[0]!, batch);
    expect(got.losses[0]).toBeCloseTo(loss, 5);
    expect(got.evaluated).toBeCloseTo(loss, 5);
    const worst = worstTensor(
      shape,
      got.m.map((m) => m * 10),
      gradient,
    );
    expect(worst.error, worst.name).toBeLessThan(1e-5);
    const logits = oracleLogits(shape, weights, ground.batches[0]!.subarray(0, 5));
    expect(relative(got.logits, logits)).toBeLessThan(1e-5);
    expect(got.delta.every((value) => value === 0)).toBe(true);
  });

  test("a curve of 20 steps, and where it leads", async () => {
    const ground = start(shape, batch, 20);
    const got = await run({ shape, batch, optimizer: clipped, rate: 3e-3, tiles, ...ground });
    const state = oracleState(ground.weights);
    const losses = ground.batches.map((tokens) => oracleStep(shape, state, clipped, tokens, batch, 3e-3));
    losses.forEach((loss, step) => {
      expect(Math.abs(got.losses[step]! - loss)).toBeLessThan(1e-3);
    });
    const delta = Float64Array.from(ground.weights, (weight, i) => weight - state.weights[i]!);
    expect(relative(got.delta, delta)).toBeLessThan(1e-3);
    expect(relative(got.v, state.v)).toBeLessThan(1e-3);
    expect(got.step).toBe(20);
  });
});

test("the kernels that hardware gets follow the oracle, too", async () => {
  const shape = { ...aligned, heads: 1 }; // of 16, which four lanes share
  const ground = start(shape, 3, 4);
  const staged: Tile = { kind: "shared", m: 4, n: 4, depth: 16, down: 8, across: 8, split: true };
  const tiles = { NN: staged, NT: staged, TN: staged };
  const job = { shape, batch: 3, optimizer: clipped, rate: 3e-3, tiles, hardware: true, ...ground };
  const got = await run(job);
  const state = oracleState(ground.weights);
  const losses = ground.batches.map((tokens) => oracleStep(shape, state, clipped, tokens, 3, 3e-3));
  expect(relative(got.losses, losses)).toBeLessThan(1e-5);
  const worst = worstTensor(shape, got.m, state.m);
  expect(worst.error, worst.name).toBeLessThan(1e-4);
  expect(got.report).toMatchObject({ software: false });
  expect(got.report.detail).toMatch(/^acme, tiles shared/);
});

test("the probe splits small products, or leaves them whole, by what it measured", async () => {
  const tile: Tile = { kind: "shared", m: 4, n: 4, depth: 16, down: 4, across: 4, split: true };
  const whole = { ...tile, split: false };
  const tiles = { NN: whole, NT: whole, TN: tile };
  const options = { shape: aligned, batch: 3, optimizer: clipped };
  const chosen = await page.evaluate(([options, tiles]) => globalThis.engine.splitOf(options, tiles), [
    options,
    tiles,
  ] as const);
  expect(chosen).toMatchObject({ NN: whole, NT: whole });
  expect(waysOf(tile)).toContainEqual(chosen.TN);
});

test("the WASM device, over 100 steps", async () => {
  const ground = start(aligned, 2, 100);
  const job = { shape: aligned, batch: 2, optimizer: clipped, rate: 3e-3 };
  const got = await run({ ...job, tiles, ...ground });
  const wasm = await createWasmTrainer(job);
  await wasm.load(ground.weights);
  for (const tokens of ground.batches) await wasm.step(tokens, 2, 3e-3);
  const losses = await wasm.losses();
  got.losses.forEach((loss, step) => {
    expect(Math.abs(loss - losses[step]!)).toBeLessThan(1e-3);
  });
  expect(losses.at(-1)).not.toBeCloseTo(losses[0]!, 2);

  const [first] = ground.batches;
  const still = { ...job, optimizer: unclipped, rate: 0 };
  const once = await run({ ...still, tiles, weights: ground.weights, batches: [first!] });
  const other = await createWasmTrainer(still);
  await other.load(ground.weights);
  await other.step(first!, 2, 0);
  const worst = worstTensor(aligned, once.m, (await other.carried()).m);
  expect(worst.error, worst.name).toBeLessThan(1e-5);
});

test.each<[string, CodecSpec]>([
  ["dense", DENSE4],
  ["top-k", { name: "topk", chunk: 256, k: 16, bits: 4 }],
])("A15: a fresh ticket is what the server recomputes on WASM, through %s", async (_, codec) => {
  const { weights } = start(aligned, 4);
  const shard = Uint16Array.from({ length: 2_000 }, (_, i) => (i * i + 3 * i) % aligned.vocabulary);
  const ticket = {
    window: 3,
    seed: 9,
    steps: 12,
    batch: 4,
    rates: Array<number>(12).fill(3e-3),
    fresh: true,
  };
  const batches = [...batchesOf(shard, ticket, aligned.context)].map((tokens) => tokens.slice());
  const options = { shape: aligned, batch: 4, optimizer: { ...unclipped, clip: 1 } };
  const got = await run({ ...options, rate: 3e-3, tiles, weights, batches });
  const delta = decodeFrame(encodeFrame(codec, Float32Array.from(got.delta)), weights.length);
  const wasm = await createWasmTrainer({ ...options, deterministic: true });
  const job = { ticket, shard, weights, delta, codec, seed: 1, batches: 1 };
  const found = await examine(wasm, shard, aligned.context, job);
  expect(found.distance).toBeLessThan(found.shortened! / 100);
  expect(verdictOf(found, ticket.steps, NO_TRUST).reason).toBe("recomputed");
});

test("the same ticket twice gives the same bytes, and moments carry over", async () => {
  const ground = start(aligned, 2, 4);
  const job = { shape: aligned, batch: 2, optimizer: clipped, rate: 3e-3, tiles, ...ground };
  const [whole, again] = [await run(job), await run(job)];
  expect(again).toEqual({ ...whole, submits: again.submits }); // by the clock
  // loaded − delta rounds, so the second half starts one bit beside where the first ended
  const halves = await run({ ...job, reloadAfter: 2 });
  expect(halves.step).toBe(4);
  expect(relative(halves.m, whole.m)).toBeLessThan(1e-4);
  expect(relative(halves.v, whole.v)).toBeLessThan(1e-4);
  expect(relative(halves.losses, whole.losses.slice(2))).toBeLessThan(1e-5);
  const other = await run({ ...job, rate: 2e-3 });
  expect(other.delta).not.toEqual(whole.delta);
});

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
  const shape: ModelShape = { layers: 3, heads: 2, width: 32, context: 4, vocabulary: 1_001 };
  const optimizer = { ...clipped, clip: 1 };
  const ground = start(shape, 2, 3);
  const job = { batch: 2, rate: 3e-3, tiles };
  const narrow = 70_000; // bytes: the token table takes twice as much, all weights four times

  test.each<[Inner, CodecSpec, ModelShape, number]>([
    ["adamw", DENSE4, shape, narrow],
    ["adamw", F32, shape, narrow],
    ["muon", { name: "topk", chunk: 256, k: 16, bits: 4 }, { ...shape, vocabulary: 4_001 }, 320_000],
  ])("and %s trains the same, and sends the same by %o", async (inner, codec, shape, limit) => {
    const options = { ...job, shape, ...start(shape, 2, 3), optimizer: { ...optimizer, inner }, codec };
    const whole = await run({ ...options, logits: 4, reloadAfter: 2 });
    const parts = await run({ ...options, logits: 4, reloadAfter: 2, maxStorageBufferBindingSize: limit });
    expect(parts.dispatches).toBeGreaterThan(whole.dispatches); // else nothing was cut
    expect(parts.evaluated).toBeCloseTo(whole.evaluated, 5);
    for (const name of ["logits", "losses", "m", "v", "delta"] as const)
      expect(relative(parts[name], whole[name]), name).toBeLessThan(1e-4);
    const left = new Float32Array(parts.delta.length);
    const wanted = codecOf(codec).encode(Float32Array.from(parts.delta), left);
    expect(parts.payload).toEqual([...wanted]);
    expect(parts.left.findIndex((value, i) => value !== left[i])).toBe(-1);
  });

  test("which is what WASM does", async () => {
    const options = { ...job, shape, optimizer };
    const got = await run({ ...options, ...ground, maxStorageBufferBindingSize: narrow, hardware: true });
    const wasm = await createWasmTrainer(options);
    await wasm.load(ground.weights);
    for (const tokens of ground.batches) await wasm.step(tokens, 2, 3e-3);
    expect(relative(got.losses, await wasm.losses())).toBeLessThan(1e-5);
    const worst = worstTensor(shape, got.m, (await wasm.carried()).m);
    expect(worst.error, worst.name).toBeLessThan(1e-4);
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

test("a step makes no buffer, and takes few dispatches", async () => {
  const got = await run({
    shape: aligned,
    batch: 2,
    optimizer: clipped,
    rate: 1e-3,
    tiles,
    ...start(aligned, 2),
  });
  expect(got.buffers).toBe(0);
  expect(got.dispatches).toBe(15 * aligned.layers + 11);
});

test("without remembered tiles the probe picks among the candidates, and the report tells", async () => {
  const shape = { layers: 1, heads: 1, width: 8, context: 4, vocabulary: 8 };
  const { chosen, report } = await run({
    shape,
    batch: 1,
    optimizer: clipped,
    rate: 1e-3,
    ...start(shape, 1),
  });
  const list = candidates({ software: true, subgroups: false });
  for (const mode of ["NN", "NT", "TN"] as const) expect(list[mode]).toContainEqual(chosen[mode]);
  expect(report).toMatchObject({ device: "webgpu", engine: "fast", software: true });
  expect(report.detail).toMatch(/swiftshader.*tiles register/i);
});

describe("refuses", () => {
  const options = { shape: aligned, batch: 2, optimizer: clipped, tiles };

  test("tokens outside the vocabulary and weights that are not finite, and goes on", async () => {
    const codes = await page.evaluate(async (options) => {
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
    const codes = await page.evaluate(async (options) => {
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
    const message = await page.evaluate(async (options) => {
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
