import { expect, test } from "vitest";
import type { ModelShape, Optimizer } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { muonMatrices, QUINTIC } from "../../model/contract/muon.ts";
import type { Carried } from "../../model/contract/trainer.ts";
import { trainingSchedule } from "../../model/engine/schedule.ts";
import { packSquares, segmentsOf, unpackSquares } from "../../model/engine/second-moments.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import type { Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { NEEDS, type Tuning } from "../../model/engine/webgpu/lower.ts";
import { Random } from "../../model/lib/random.ts";
import { relative } from "../ops-reference.ts";
import { oracleState, oracleStep, oracleUpdate } from "../oracle/oracle.ts";
import { oracleMuon } from "../oracle/oracle-muon.ts";
import { train } from "./engine-jobs.ts";
import type { Job } from "./engine-page.ts";
import { modulePage } from "./module-page.ts";

/** Muon on WebGPU (a software adapter's), beside the f64 oracle and the WASM engine. */

const opened = modulePage("engine-page.ts");

const optimizer: Optimizer = {
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-4, // large enough that an AdamW step is more than its gradient's sign
  weightDecay: 0.1,
  clip: 1,
  inner: "muon",
};
const shape: ModelShape = { layers: 2, heads: 2, width: 16, context: 16, vocabulary: 32 };
const ragged: ModelShape = { layers: 1, heads: 3, width: 15, context: 9, vocabulary: 13 };
/** A multiple of four and of no tile, over several workgroups of each. */
const wide: ModelShape = { layers: 1, heads: 1, width: 36, context: 4, vocabulary: 8 };

const register: Tile = { kind: "register", m: 4, n: 4, depth: 4, down: 4, across: 4 };
const staged: Tile = { kind: "shared", m: 4, n: 4, depth: 16, down: 8, across: 8 };
const quad: Tile = { kind: "quad", m: 32, n: 8, depth: 1, down: 1, across: 1 };
const tilesOf = (tile: Tile) => ({ NN: tile, NT: tile, TN: tile });
const tuningOf = (tile: Tile): Tuning => ({
  rows: { lanes: 1 },
  heads: { each: 4, quads: false },
  tiles: tilesOf(tile),
});

const RATE = 0.02;
type Flat = ArrayLike<number>;

/** Seeded weights, moments and gradients of a model in the middle of its training. */
function middleOf(shape: ModelShape) {
  const layout = layoutOf(shape);
  const random = new Random(5);
  const values = () => Float32Array.from({ length: layout.length }, () => random.unit() - 0.5);
  const segments = segmentsOf(layout, optimizer);
  const v = unpackSquares(segments, packSquares(segments, values().map(Math.abs)), layout.length);
  return { layout, segments, weights: values(), gradient: values(), m: values(), v };
}

/** What the first update makes of it on the device. */
async function updated(shape: ModelShape, tile: Tile, middle: ReturnType<typeof middleOf>) {
  const { layout, segments, weights, gradient, m, v } = middle;
  const { update, arenas } = trainingSchedule(shape, 1, optimizer, NEEDS);
  const left = await opened.page.evaluate(
    (job) => globalThis.engine.runOps(job.ops, job.arenas, job.how, job.dynamics, 1),
    {
      ops: update,
      arenas: {
        parameters: [...weights],
        gradients: [...gradient],
        m: [...m],
        v: [...packSquares(segments, v)],
        activations: Array<number>(arenas.activations).fill(7), // nothing relies on zeros there
        tokens: [],
      },
      how: tuningOf(tile),
      dynamics: { lossScale: 1, rate: RATE, correction1: 1 - 0.9, correction2: 1 - 0.99 },
    },
  );
  const packed = Float32Array.from(left.v!);
  return { weights: left.parameters!, m: left.m!, v: unpackSquares(segments, packed, layout.length) };
}

/** The same by the oracle. */
function exactly(middle: ReturnType<typeof middleOf>) {
  const state = oracleState(middle.weights);
  state.m.set(middle.m);
  state.v.set(middle.v);
  oracleUpdate(middle.layout, state, optimizer, Float64Array.from(middle.gradient), RATE);
  return state;
}

const moved = (before: Flat, after: Flat) => Float64Array.from(after, (x, i) => x - before[i]!);

test.each([
  ["registers, aligned", register, shape],
  ["registers, ragged", register, ragged],
  ["registers, no multiple of a tile", register, wide],
  ["shared, aligned", staged, shape],
  ["shared, no multiple of a tile", staged, wide],
  ["quads, aligned", quad, shape],
  ["quads, no multiple of a tile", quad, wide],
])("an update is the oracle's in every tensor: %s", async (_, tile, shape) => {
  const middle = middleOf(shape);
  const [got, exact] = [await updated(shape, tile, middle), exactly(middle)];
  for (const { name, offset, length } of middle.layout.tensors) {
    const apart = (a: Flat, b: Flat) => relative(a, b, offset, length);
    const steps = [got.weights, exact.weights].map((after) => moved(middle.weights, after));
    expect(apart(steps[0]!, steps[1]!), name).toBeLessThan(1e-4);
    expect(apart(got.m, exact.m), name).toBeLessThan(1e-5);
    expect(apart(got.v, exact.v), name).toBeLessThan(1e-5); // zeros in Muon's matrices
  }
});

test("a coefficient off by a thousandth, or queries, keys and values as one, would show", async () => {
  const middle = middleOf(shape);
  const got = moved(middle.weights, (await updated(shape, register, middle)).weights);
  const norm = Math.sqrt(middle.gradient.reduce((sum, g) => sum + g * g, 0));
  const gradient = Float64Array.from(middle.gradient, (g) => g / norm);
  const [query] = muonMatrices(middle.layout);
  const wrongly = (work: (state: { weights: Float64Array; m: Float64Array }) => void) => {
    const state = { weights: Float64Array.from(middle.weights), m: Float64Array.from(middle.m) };
    work(state);
    return relative(got, moved(middle.weights, state.weights), query!.offset, 16 * 48);
  };
  const [a, b, c] = QUINTIC;
  const off = [a, b, c * 1.001] as const;
  const usual = (state: Parameters<typeof oracleMuon>[1]) =>
    oracleMuon(middle.layout, state, gradient, RATE, 0.1);
  expect(wrongly(usual)).toBeLessThan(1e-4);
  expect(wrongly((state) => oracleMuon(middle.layout, state, gradient, RATE, 0.1, off))).toBeGreaterThan(
    5e-4,
  );
  const one = {
    tensors: [{ name: "h", shape: [17, 48], offset: query!.offset, length: 17 * 48 }],
    length: 0,
  };
  expect(wrongly((state) => oracleMuon(one, state, gradient, RATE, 0.1))).toBeGreaterThan(0.1);
});

test("a gradient that is no number shows in every matrix, and one of zeros moves none but by its decay", async () => {
  const middle = middleOf(shape);
  const spoilt = middle.gradient.slice();
  spoilt[3] = Number.NaN;
  const shown = await updated(shape, register, { ...middle, gradient: spoilt });
  const still = { ...middle, gradient: new Float32Array(spoilt.length), m: new Float32Array(spoilt.length) };
  const kept = await updated(shape, register, still);
  for (const { offset } of muonMatrices(middle.layout)) {
    expect(shown.weights[offset]).toBeNaN();
    expect(kept.weights[offset]! / (middle.weights[offset]! * (1 - RATE * 0.1))).toBeCloseTo(1, 6);
  }
});

/** Seeded weights, and three batches by turns: something that can be learnt. */
function start(shape: ModelShape, steps: number) {
  const random = new Random(11);
  const weights = Float32Array.from({ length: layoutOf(shape).length }, () => (random.unit() - 0.5) * 0.4);
  const length = 2 * (shape.context + 1);
  const three = [0, 1, 2].map(() => Uint16Array.from({ length }, () => random.below(shape.vocabulary)));
  return { weights, batches: Array.from({ length: steps }, (_, step) => three[step % 3]!) };
}

/** Runs a job in the page: see engine-page.ts. */
const run = (job: Partial<Job> & ReturnType<typeof start>) =>
  train(opened, { shape, optimizer, batch: 2, rate: 1e-2, tiles: tilesOf(register), ...job });

test.each([
  ["aligned", shape],
  ["ragged", ragged],
])("20 steps follow the oracle: %s", async (_, shape) => {
  const ground = start(shape, 20);
  const got = await run({ shape, ...ground });
  const state = oracleState(ground.weights);
  const losses = ground.batches.map((tokens) => oracleStep(shape, state, optimizer, tokens, 2, 1e-2));
  for (const [step, loss] of losses.entries()) expect(Math.abs(got.losses[step]! - loss)).toBeLessThan(1e-3);
  const delta = Float64Array.from(ground.weights, (weight, i) => weight - state.weights[i]!);
  expect(relative(got.delta, delta)).toBeLessThan(2e-2);
  expect(got.step).toBe(20);
});

test("30 steps lose what the WASM device's do, and what is carried goes on there as here, both ways", async () => {
  const [steps, rest] = [30, 5];
  const ground = start(shape, steps + rest);
  const options = { shape, optimizer, batch: 2 };
  const before = { weights: ground.weights, batches: ground.batches.slice(0, steps) };
  const gpu = await run(before);
  const wasm = await createWasmTrainer(options);
  await wasm.load(ground.weights);
  for (const tokens of before.batches) await wasm.step(tokens, 2, 1e-2);
  const losses = await wasm.losses();
  for (const [step, loss] of losses.entries()) expect(Math.abs(gpu.losses[step]! - loss)).toBeLessThan(1e-3);
  expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.1);
  const theirs = await wasm.carried();
  expect(theirs.v.every((value, i) => (value === 0) === (gpu.v[i] === 0))).toBe(true);

  // both devices go on from the GPU's weights: with the GPU's moments, with WASM's, and, as the control, with none
  const weights = ground.weights.map((weight, i) => weight - gpu.delta[i]!);
  const after = { weights, batches: ground.batches.slice(steps) };
  const on = async (carried: Partial<Carried>) => {
    await wasm.load(weights, carried);
    for (const tokens of after.batches) await wasm.step(tokens, 2, 1e-2);
    return wasm.delta();
  };
  const here = await run({ ...after, carried: { m: gpu.m, v: gpu.v, step: steps } });
  const there = await on({ m: gpu.m, v: gpu.v, step: steps });
  expect(relative(there, here.delta)).toBeLessThan(2e-2);
  const back = await run({ ...after, carried: { m: theirs.m, v: theirs.v, step: steps } });
  expect(relative(back.delta, here.delta)).toBeLessThan(5e-2);
  expect(relative(await on({}), here.delta)).toBeGreaterThan(0.2);
  wasm.dispose();
});

test("the same ticket twice gives the same bytes, and a step makes no buffer", async () => {
  const ground = start(shape, 3);
  const first = await run(ground);
  const again = await run(ground);
  expect(again).toEqual({ ...first, submits: again.submits }); // by the clock
  expect(first).toMatchObject({ buffers: 0, dispatches: 15 * shape.layers + 11 + 36 });
});

test("the known gradient is met with Muon; control: not by a device whose workgroups have no third dimension", async () => {
  const tiles = tilesOf(register);
  await opened.page.evaluate((tiles) => globalThis.engine.checkMuon(tiles), tiles);
  const code = await opened.page.evaluate(async (tiles) => {
    const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
    GPUComputePassEncoder.prototype.dispatchWorkgroups = function (x, y) {
      dispatchWorkgroups.call(this, x, y);
    };
    const code = await globalThis.engine.codeOf(globalThis.engine.checkMuon(tiles));
    GPUComputePassEncoder.prototype.dispatchWorkgroups = dispatchWorkgroups;
    return code;
  }, tiles);
  expect(code).toBe("device-wrong");
});
