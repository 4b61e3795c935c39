import { describe, expect, test } from "vitest";
import { batchesOf } from "../../model/data/batches.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { candidates, waysOf } from "../../model/engine/webgpu/tuning.ts";
import { type CodecSpec, DENSE4 } from "../../protocol/codec/codec.ts";
import { decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { examine } from "../../server/evaluate/examine.ts";
import { verdictOf } from "../../server/trust/audit.ts";
import { NO_TRUST } from "../../server/trust/standing.ts";
import { relative, worstTensor } from "../ops-reference.ts";
import { oracleLogits, oracleLossAndGradient, oracleState, oracleStep } from "../oracle/oracle.ts";
import { aligned, clipped, cut, ragged, start, tiles, train, unclipped } from "./engine-jobs.ts";
import { modulePage } from "./module-page.ts";

const opened = modulePage("engine-page.ts");
const run = (job: Parameters<typeof train>[1]) => train(opened, job);

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

test("and train a model whose vectors lie in several buffers as WASM does", async () => {
  const { shape, narrow } = cut;
  const ground = start(shape, 2, 3);
  const options = { shape, batch: 2, rate: 3e-3, tiles, optimizer: { ...clipped, clip: 1 } };
  const got = await run({ ...options, ...ground, maxStorageBufferBindingSize: narrow, hardware: true });
  const wasm = await createWasmTrainer(options);
  await wasm.load(ground.weights);
  for (const tokens of ground.batches) await wasm.step(tokens, 2, 3e-3);
  expect(relative(got.losses, await wasm.losses())).toBeLessThan(1e-5);
  const worst = worstTensor(shape, got.m, (await wasm.carried()).m);
  expect(worst.error, worst.name).toBeLessThan(1e-4);
});

test("the probe splits small products, or leaves them whole, by what it measured", async () => {
  const tile: Tile = { kind: "shared", m: 4, n: 4, depth: 16, down: 4, across: 4, split: true };
  const whole = { ...tile, split: false };
  const tiles = { NN: whole, NT: whole, TN: tile };
  const options = { shape: aligned, batch: 3, optimizer: clipped };
  const chosen = await opened.page.evaluate(([options, tiles]) => globalThis.engine.splitOf(options, tiles), [
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
