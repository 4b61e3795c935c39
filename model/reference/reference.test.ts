import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, it } from "vitest";
import {
  oracleLogits,
  oracleLoss,
  oracleLossAndGradient,
  oracleState,
  oracleStep,
} from "../../test/oracle/oracle.ts";
import { oracleMuon } from "../../test/oracle/oracle-muon.ts";
import type { AdamW, Optimizer } from "../contract/config.ts";
import { hiddenMatrices, layoutOf } from "../contract/layout.ts";
import { QUINTIC } from "../contract/muon.ts";
import type { DeviceName, Trainer } from "../contract/trainer.ts";
import { Random } from "../lib/random.ts";
import { createReference } from "./reference.ts";

const shape = { layers: 2, heads: 2, width: 16, context: 8, vocabulary: 32 };
const layout = layoutOf(shape);
const batch = 3;
// A large epsilon makes a step smooth in the gradient: with a small one it is nearly the gradient's sign.
const optimizer: AdamW = { beta1: 0.9, beta2: 0.99, epsilon: 0.01, weightDecay: 0.1, clip: 0.5 };

function someWeights(seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: layout.length }, () => random.unit() - 0.5);
}

function someTokens(seed: number): Uint16Array {
  const random = new Random(seed);
  return Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(shape.vocabulary));
}

/** ‖a − b‖ ÷ ‖b‖ */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

let trainer: Trainer | undefined;
const open = async (backend: DeviceName) => {
  trainer = await createReference({ shape, optimizer, batch, backend });
  return trainer;
};
afterEach(() => trainer?.dispose());

describe.each<DeviceName>(["wasm", "cpu"])("the reference trainer on %s", (backend) => {
  it("says where it runs", async () => {
    const { report } = await open(backend);
    expect(report).toMatchObject({ device: backend, engine: "tfjs", software: false });
  });

  it("trains as the f64 oracle does, in every tensor", async () => {
    const reference = await open(backend);
    const weights = someWeights(1);
    const oracle = oracleState(weights);
    await reference.load(weights);
    const expected = [2, 3, 4].map((seed) =>
      oracleStep(shape, oracle, optimizer, someTokens(seed), batch, 0.05),
    );
    for (const seed of [2, 3, 4]) await reference.step(someTokens(seed), batch, 0.05);
    expect(distance(await reference.losses(), expected)).toBeLessThan(1e-6);
    expect(await reference.losses()).toHaveLength(0);
    const delta = await reference.delta();
    const moments = await reference.carried();
    for (const { name, offset, length } of layout.tensors) {
      const part = <T extends Float32Array | Float64Array>(flat: T) => flat.subarray(offset, offset + length);
      const moved = part(oracle.weights).map((value, i) => weights[offset + i]! - value);
      expect(distance(part(delta), moved), name).toBeLessThan(2e-5);
      expect(distance(part(moments.m), part(oracle.m)), name).toBeLessThan(1e-5);
      expect(distance(part(moments.v), part(oracle.v)), name).toBeLessThan(1e-5);
    }
    expect(moments.step).toBe(3);
  });

  it("trains with Muon as the f64 oracle does, in every tensor; control: a wrong coefficient does not", async () => {
    const muon: Optimizer = { ...optimizer, inner: "muon" };
    trainer = await createReference({ shape, optimizer: muon, batch, backend });
    const weights = someWeights(1);
    await trainer.load(weights);
    const oracle = oracleState(weights);
    for (const seed of [2, 3, 4]) {
      oracleStep(shape, oracle, muon, someTokens(seed), batch, 0.05);
      await trainer.step(someTokens(seed), batch, 0.05);
    }
    const moved = oracle.weights.map((value, i) => weights[i]! - value);
    const delta = await trainer.delta();
    const { m, v } = await trainer.carried();
    for (const { name, offset, length } of layout.tensors) {
      const part = <T extends Float32Array | Float64Array>(flat: T) => flat.subarray(offset, offset + length);
      expect(distance(part(delta), part(moved)), name).toBeLessThan(1e-4);
      expect(distance(part(m), part(oracle.m)), name).toBeLessThan(1e-4);
    }
    const [matrix] = hiddenMatrices(layout);
    const end = matrix!.offset + matrix!.rows * matrix!.columns;
    expect(v.subarray(matrix!.offset, end).every((value) => value === 0)).toBe(true);

    await trainer.load(weights);
    await trainer.step(someTokens(2), batch, 0.05);
    const first = (await trainer.delta()).subarray(matrix!.offset, end);
    const { gradient } = oracleLossAndGradient(shape, Float64Array.from(weights), someTokens(2), batch);
    const apart = (quintic: readonly [number, number, number]) => {
      const state = oracleState(weights);
      oracleMuon(layout, state, gradient, 0.05, muon.weightDecay, quintic);
      const moves = state.weights.map((value, i) => weights[i]! - value);
      return distance(first, moves.subarray(matrix!.offset, end));
    };
    expect(apart(QUINTIC)).toBeLessThan(1e-4);
    expect(apart([3.4445, -4.775, 2.03])).toBeGreaterThan(5e-4);
  });

  it("sums gradients over micro-batches: a batch in parts learns as the whole does", async () => {
    const whole = await open(backend);
    const parts = await createReference({ shape, optimizer, batch, micro: 2, backend });
    const weights = someWeights(11);
    const [all, some] = await Promise.all(
      [whole, parts].map(async (one) => {
        await one.load(weights);
        await one.step(someTokens(12), batch, 0.05);
        const evaluated = await one.evaluate(someTokens(13), batch);
        return { delta: await one.delta(), loss: (await one.losses())[0]!, evaluated };
      }),
    );
    parts.dispose();
    expect(distance(some!.delta, all!.delta)).toBeLessThan(1e-5);
    expect(some!.loss).toBeCloseTo(all!.loss, 5);
    expect(some!.evaluated).toBeCloseTo(all!.evaluated, 5);
  });

  it("evaluates without training, and any number of sequences up to its batch", async () => {
    const reference = await open(backend);
    const weights = someWeights(5);
    await reference.load(weights);
    const one = someTokens(6).subarray(0, shape.context + 1);
    const wide = Float64Array.from(weights);
    expect(await reference.evaluate(someTokens(6), batch)).toBeCloseTo(
      oracleLoss(shape, wide, someTokens(6), batch),
      5,
    );
    expect(await reference.evaluate(one, 1)).toBeCloseTo(oracleLoss(shape, wide, one, 1), 5);
    expect(await reference.losses()).toHaveLength(0);
    expect((await reference.delta()).every((value) => value === 0)).toBe(true);
  });

  it("gives logits for sequences of any length, and a later token never changes an earlier one", async () => {
    const reference = await open(backend);
    const weights = someWeights(7);
    await reference.load(weights);
    const tokens = someTokens(8).subarray(0, shape.context);
    const whole = await reference.logits(tokens);
    expect(distance(whole, oracleLogits(shape, Float64Array.from(weights), tokens))).toBeLessThan(1e-5);
    for (let length = 1; length <= shape.context; length++) {
      const part = await reference.logits(tokens.subarray(0, length));
      expect(part).toHaveLength(length * shape.vocabulary);
      expect(distance(part, whole.subarray(0, part.length))).toBeLessThan(1e-6);
      const changed = tokens.slice();
      changed[length - 1] = (changed[length - 1]! + 1) % shape.vocabulary;
      const after = await reference.logits(changed);
      const upTo = (length - 1) * shape.vocabulary;
      expect(after.subarray(0, upTo)).toEqual(whole.subarray(0, upTo));
      expect(after.subarray(upTo)).not.toEqual(whole.subarray(upTo));
    }
  });

  it("resumes exactly from weights and moments", async () => {
    const straight = await open(backend);
    const start = someWeights(9);
    await straight.load(start);
    for (const seed of [1, 2, 3, 4]) await straight.step(someTokens(seed), batch, 0.01);
    const moments = await straight.carried();
    const ended = (await straight.delta()).map((value, i) => start[i]! - value);

    await straight.load(start);
    for (const seed of [1, 2]) await straight.step(someTokens(seed), batch, 0.01);
    const half = await straight.carried();
    const middle = (await straight.delta()).map((value, i) => start[i]! - value);
    await straight.load(middle, half);
    for (const seed of [3, 4]) await straight.step(someTokens(seed), batch, 0.01);
    const after = await straight.carried();
    expect(after.step).toBe(4);
    expect(distance(after.m, moments.m)).toBeLessThan(1e-5);
    expect(distance(after.v, moments.v)).toBeLessThan(1e-5);
    expect(
      distance(
        (await straight.delta()).map((value, i) => middle[i]! - value),
        ended,
      ),
    ).toBeLessThan(1e-6);

    // A control: without the moments it goes elsewhere.
    await straight.load(middle);
    for (const seed of [3, 4]) await straight.step(someTokens(seed), batch, 0.01);
    expect(distance((await straight.carried()).m, moments.m)).toBeGreaterThan(0.01);
  });

  it("copies what it is given and gives away no array of its own", async () => {
    const reference = await open(backend);
    const weights = someWeights(10);
    await reference.load(weights);
    weights.fill(0);
    await reference.step(someTokens(1), batch, 0.01);
    const first = await reference.carried();
    const [m] = first.m;
    first.m.fill(7);
    expect((await reference.carried()).m[0]).toBe(m);
    expect((await reference.losses())[0]).not.toBeCloseTo(Math.log(shape.vocabulary), 3);
  });

  it("refuses tokens, weights and moments that are not the model's", async () => {
    const reference = await open(backend);
    await expect(reference.step(someTokens(1), batch, 0.1)).rejects.toMatchObject({ code: "bad-weights" });
    await reference.load(someWeights(1));
    const strange = someTokens(1);
    strange[4] = shape.vocabulary;
    const code = (code: string) => ({ name: "ModelError", code });
    await expect(reference.step(strange, batch, 0.1)).rejects.toMatchObject(code("bad-token"));
    await expect(reference.evaluate(strange, batch)).rejects.toMatchObject(code("bad-token"));
    await expect(reference.logits(strange.subarray(0, 8))).rejects.toMatchObject(code("bad-token"));
    await expect(reference.logits(new Uint16Array(9))).rejects.toMatchObject(code("bad-shape"));
    await expect(reference.logits(new Uint16Array(0))).rejects.toMatchObject(code("bad-shape"));
    await expect(reference.step(someTokens(1), 2, 0.1)).rejects.toMatchObject(code("bad-shape"));
    await expect(reference.step(new Uint16Array(36), 4, 0.1)).rejects.toMatchObject(code("bad-shape"));
    const broken = someWeights(1);
    broken[100] = Number.NaN;
    await expect(reference.load(broken)).rejects.toMatchObject(code("bad-weights"));
    await expect(reference.load(broken.subarray(1))).rejects.toMatchObject(code("bad-weights"));
    await expect(
      reference.load(someWeights(1), { m: broken, v: someWeights(1), step: 1 }),
    ).rejects.toMatchObject(code("bad-weights"));
    // What was loaded before a refusal is still there.
    await reference.step(someTokens(1), batch, 0.1);
    expect(await reference.losses()).toHaveLength(1);
  });

  it("is lost to every call once disposed of, and leaves nothing behind", async () => {
    const before = tf.engine().state.numTensors;
    const reference = await open(backend);
    await reference.load(someWeights(1));
    await reference.step(someTokens(1), batch, 0.1);
    reference.dispose();
    reference.dispose();
    expect(tf.engine().state.numTensors).toBe(before);
    await expect(reference.losses()).rejects.toMatchObject({ code: "device-lost" });
    await expect(reference.load(someWeights(1))).rejects.toMatchObject({ code: "device-lost" });
    const again = await open(backend);
    await again.load(someWeights(1));
    const underWay = again.delta();
    again.dispose();
    await expect(underWay).rejects.toMatchObject({ code: "device-lost" });
    expect(tf.engine().state.numTensors).toBe(before);
    await (await open(backend)).load(someWeights(1)); // the backend starts again after it was freed
  });
});

it("says which device is not there", async () => {
  for (const backend of ["webgpu", "webgl"] as const)
    await expect(open(backend)).rejects.toMatchObject({ code: "device-unavailable" });
});

it("keeps two backends apart", async () => {
  const both = (["wasm", "cpu"] as const).map((backend) =>
    createReference({ shape, optimizer, batch, backend }),
  );
  const [wasm, cpu] = (await Promise.all(both)) as [Trainer, Trainer];
  await Promise.all([wasm.load(someWeights(1)), cpu.load(someWeights(1))]);
  for (const seed of [1, 2]) {
    await Promise.all([wasm, cpu].map((one) => one.step(someTokens(seed), batch, 0.01)));
  }
  const [a, b] = await Promise.all([wasm.losses(), cpu.losses()]);
  expect(distance(a!, b!)).toBeLessThan(1e-6);
  wasm.dispose();
  cpu.dispose();
});
