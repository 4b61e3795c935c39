import { afterEach, describe, expect, test } from "vitest";
import { oracleState, oracleStep, oracleUpdate } from "../../../test/oracle/oracle.ts";
import { newtonSchulz as exact, oracleMuon } from "../../../test/oracle/oracle-muon.ts";
import type { Optimizer } from "../../contract/config.ts";
import { initialWeights } from "../../contract/init.ts";
import { layoutOf } from "../../contract/layout.ts";
import { muonMatrices, QUINTIC } from "../../contract/muon.ts";
import type { Trainer } from "../../contract/trainer.ts";
import { Random } from "../../lib/random.ts";
import { mapMemory, WasmDevice } from "./device.ts";
import { hasFma, loadKernels } from "./kernels.ts";
import { muonWorkspace, workspaceAt } from "./muon.ts";
import { newtonSchulz } from "./newton-schulz.ts";
import { Replica } from "./replica.ts";
import { createWasmTrainer, type WasmTrainerOptions } from "./trainer.ts";

const optimizer: Optimizer = {
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-4, // large enough that an AdamW step is more than its gradient's sign
  weightDecay: 0.1,
  clip: 1,
  inner: "muon",
};
/** Off every tile, and across the blocks of a symmetric product (96). */
const shapes = [
  { layers: 2, heads: 2, width: 16, context: 16, vocabulary: 32 },
  { layers: 1, heads: 3, width: 15, context: 9, vocabulary: 13 },
  { layers: 1, heads: 2, width: 100, context: 12, vocabulary: 20 },
];
type Shape = (typeof shapes)[number];
const [small] = shapes as [Shape, ...Shape[]];

const builds = [
  { build: "plain", fma: false },
  { build: "FMA", fma: true },
].filter(({ fma }) => !fma || hasFma());

const weightsOf = (shape: Shape) => {
  const random = new Random(1);
  return initialWeights(shape, 1).map((x) => 3 * x + 0.1 * (random.unit() - 0.5));
};

function tokensOf(shape: Shape, batch: number, seed: number): Uint16Array {
  const random = new Random(seed);
  return Uint16Array.from({ length: batch * (shape.context + 1) }, () => random.below(shape.vocabulary));
}

/** ‖a − b‖ ÷ ‖b‖ */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}

/** Three updates of a shape, and what the oracle makes of them: it takes a second, and is the same for each build. */
const updates = new Map<Shape, ReturnType<typeof makeUpdates>>();
function updatesOf(shape: Shape) {
  const made = updates.get(shape) ?? makeUpdates(shape);
  updates.set(shape, made);
  return made;
}
function makeUpdates(shape: Shape) {
  const layout = layoutOf(shape);
  const weights = weightsOf(shape);
  const state = oracleState(weights);
  const random = new Random(5);
  const gradients = [1, 2, 3].map(() =>
    Float32Array.from({ length: layout.length }, () => random.unit() - 0.5),
  );
  for (const gradient of gradients) oracleUpdate(layout, state, optimizer, Float64Array.from(gradient), 0.02);
  return { weights, gradients, state };
}

const opened: Trainer[] = [];
afterEach(() => {
  for (const trainer of opened.splice(0)) trainer.dispose();
});
async function make(options: Partial<WasmTrainerOptions> = {}): Promise<Trainer> {
  const trainer = await createWasmTrainer({
    shape: small,
    optimizer,
    batch: 6,
    deterministic: true,
    ...options,
  });
  opened.push(trainer);
  return trainer;
}

describe.each(builds)("Muon on the $build build", ({ fma }) => {
  test.each([
    [5, 17],
    [17, 5],
    [8, 8],
    [1, 9],
    [100, 130],
    [260, 97],
  ])(
    "Newton–Schulz of %i × %i is the oracle's; control: not with a coefficient off by a thousandth",
    async (rows, columns) => {
      const kernels = await loadKernels(fma);
      const matrices = [{ offset: 0, rows, columns, stride: columns }];
      const activations = muonWorkspace(matrices);
      const scratch = kernels.gemmScratch.value;
      const nothing = { parameters: 0, optimizing: 0, squares: 0 };
      const map = mapMemory(kernels.heapBase(), nothing, { activations, tokens: 0, scratch });
      const device = new WasmDevice(kernels, map);
      const random = new Random(3);
      const given = Float32Array.from({ length: rows * columns }, () => random.unit() - 0.5);
      const norm = Math.sqrt(given.reduce((sum, value) => sum + value * value, 0));
      device
        .floats({ arena: "activations", offset: 0, length: given.length })
        .set(given.map((x) => x / norm));
      const at = newtonSchulz(kernels, rows, columns, workspaceAt(matrices, map.at.activations));
      const turned = new Float32Array(kernels.memory.buffer, at, rows * columns);
      const wide = Float64Array.from(given);
      expect(apart(turned, exact(wide, rows, columns))).toBeLessThan(1e-4);
      const [a, b, c] = QUINTIC;
      expect(apart(turned, exact(wide, rows, columns, [a, b, c * 1.001]))).toBeGreaterThan(5e-4);
    },
  );

  test.each(shapes)("an update is the oracle's in every tensor: %o", async (shape) => {
    const replica = new Replica(await loadKernels(fma), { shape, optimizer, batch: 2, memoryLimit: 2 ** 30 });
    const { weights, gradients, state } = updatesOf(shape);
    const layout = layoutOf(shape);
    replica.load(weights);
    for (const [i, gradient] of gradients.entries()) {
      replica.gradients.set(gradient);
      replica.update(i + 1, 0.02);
    }
    const { m, v } = replica.moments();
    for (const { name, offset, length } of layout.tensors) {
      const part = <T extends Float32Array | Float64Array>(flat: T) => flat.subarray(offset, offset + length);
      const moved = (flat: Float32Array | Float64Array) => part(flat).map((x, i) => x - weights[offset + i]!);
      expect(apart(moved(replica.parameters), moved(state.weights)), name).toBeLessThan(1e-4);
      expect(apart(part(m), part(state.m)), name).toBeLessThan(1e-5);
      const squares = part(state.v).some((value) => value > 0);
      if (squares) expect(apart(part(v), part(state.v)), name).toBeLessThan(1e-5);
      else expect(part(v).every((value) => value === 0)).toBe(true);
    }
  });

  test("follows the oracle for 20 steps", async () => {
    const trainer = await make({ batch: 2, deterministic: !fma });
    const start = weightsOf(small);
    const state = oracleState(start);
    await trainer.load(start);
    const expected: number[] = [];
    for (let i = 0; i < 20; i++) {
      const tokens = tokensOf(small, 2, 100 + (i % 3));
      await trainer.step(tokens, 2, 1e-2);
      expected.push(oracleStep(small, state, optimizer, tokens, 2, 1e-2));
    }
    const losses = await trainer.losses();
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-3);
    const moved = state.weights.map((x, i) => start[i]! - x);
    expect(apart(await trainer.delta(), moved)).toBeLessThan(2e-2);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.3); // it does learn
  });
});

test("queries, keys and values are turned each for itself; control: as one matrix they go elsewhere", async () => {
  const replica = new Replica(await loadKernels(false), {
    shape: small,
    optimizer,
    batch: 1,
    memoryLimit: 2 ** 30,
  });
  const weights = weightsOf(small);
  const gradient = weightsOf(small).map((x, i) => x * Math.sin(i));
  replica.load(weights);
  replica.gradients.set(gradient);
  replica.update(1, 0.02);
  const layout = layoutOf(small);
  const [query, , value] = muonMatrices(layout);
  expect([query!.stride, value!.offset - query!.offset]).toEqual([48, 32]);
  const moves = (flat: ArrayLike<number>) =>
    Array.from({ length: 16 * 48 }, (_, i) => flat[query!.offset + i]! - weights[query!.offset + i]!);
  const apartly = oracleState(weights);
  oracleMuon(layout, apartly, Float64Array.from(gradient), 0.02, 0.1);
  expect(apart(moves(replica.parameters), moves(apartly.weights))).toBeLessThan(1e-4);
  const d = Float64Array.from(gradient.subarray(query!.offset, query!.offset + 16 * 48));
  const whole = exact(d, 16, 48);
  const together = weights.slice();
  for (const [i, step] of whole.entries()) together[query!.offset + i]! -= 0.02 * 0.2 * Math.sqrt(48) * step;
  expect(apart(moves(replica.parameters), moves(together))).toBeGreaterThan(0.1);
});

describe("the same ticket", () => {
  const run = async (trainer: Trainer) => {
    await trainer.load(weightsOf(small));
    for (let i = 0; i < 4; i++) await trainer.step(tokensOf(small, 6, i), 6, 1e-2);
    return { delta: await trainer.delta(), carried: await trainer.carried(), losses: await trainer.losses() };
  };

  test("gives the same bytes on a used trainer and a new one, and for each number of threads", async () => {
    const trainer = await make();
    const first = await run(trainer);
    expect(await run(trainer)).toEqual(first);
    expect(await run(await make())).toEqual(first);
    const two = await run(await make({ threads: 2 }));
    expect(await run(await make({ threads: 2 }))).toEqual(two);
    expect(apart(two.delta, first.delta)).toBeLessThan(1e-2);
  });

  test("learns the same in micro-batches, which take less memory", async () => {
    const whole = await run(await make());
    const parts = await run(await make({ micro: 2 }));
    expect(apart(parts.delta, whole.delta)).toBeLessThan(1e-2);
    for (const [i, loss] of parts.losses.entries()) expect(loss).toBeCloseTo(whole.losses[i]!, 3);
    const bytes = await Promise.all(
      [6, 2].map(async (micro) => {
        const shape = { ...small, context: 128 };
        const options = { shape, optimizer, batch: 6, micro, memoryLimit: 2 ** 30 };
        return new Replica(await loadKernels(false), options).bytes;
      }),
    );
    expect(bytes[1]).toBeLessThan(0.7 * bytes[0]!);
  });

  test("goes on from carried moments as if nothing had happened; control: without them it does not", async () => {
    const trainer = await make();
    const { delta, carried } = await run(trainer);
    const middle = weightsOf(small).map((x, i) => x - delta[i]!);
    const next = async (start: Parameters<Trainer["load"]>[1]) => {
      await trainer.load(middle, start);
      await trainer.step(tokensOf(small, 6, 9), 6, 1e-2);
      return trainer.delta();
    };
    const kept = await next("kept");
    expect(await next(carried)).toEqual(kept);
    expect(apart(await next({}), kept)).toBeGreaterThan(0.1);
  });
});

test("Muon keeps one moment where AdamW keeps two: the matrices' squares take no memory", async () => {
  const bytes = async (inner: "adamw" | "muon") =>
    new Replica(await loadKernels(false), {
      shape: { ...small, width: 128, context: 64 },
      optimizer: { ...optimizer, inner },
      batch: 4,
      memoryLimit: 2 ** 30,
    }).bytes;
  const matrices = 2 * 12 * 128 * 128;
  expect((await bytes("adamw")) - (await bytes("muon"))).toBeGreaterThan(0.95 * 4 * matrices);
});

test("a gradient that is no number shows in every matrix instead of vanishing", async () => {
  const replica = new Replica(await loadKernels(false), {
    shape: small,
    optimizer,
    batch: 1,
    memoryLimit: 2 ** 30,
  });
  replica.load(weightsOf(small));
  replica.gradients.fill(Number.NaN, 3, 4);
  replica.update(1, 0.01);
  for (const { offset } of muonMatrices(layoutOf(small))) expect(replica.parameters[offset]).toBeNaN();
});

test("a lone volunteer learns more with Muon than with AdamW from the same tokens, each at its usual rate", async () => {
  const shape = { layers: 1, heads: 2, width: 32, context: 32, vocabulary: 8 };
  const [batch, steps, tickets, side] = [8, 5, 24, 33];
  const table = new Random(7);
  const next = Array.from({ length: shape.vocabulary ** 2 }, () => table.below(shape.vocabulary));
  /** Each token follows from the two before it, but for one in eight. */
  const text = (seed: number) => {
    const random = new Random(seed);
    const tokens = new Uint16Array(batch * side);
    for (let at = 0; at < tokens.length; at++)
      tokens[at] =
        at % side < 2 || random.below(8) === 0
          ? random.below(shape.vocabulary)
          : next[tokens[at - 1]! * shape.vocabulary + tokens[at - 2]!]!;
    return tokens;
  };
  const learn = async (inner: "adamw" | "muon", rate: number) => {
    const trainer = await make({ shape, batch, optimizer: { ...optimizer, epsilon: 1e-8, inner } });
    let weights = initialWeights(shape, 1);
    for (let ticket = 0; ticket < tickets; ticket++) {
      await trainer.load(weights, ticket === 0 ? {} : "kept");
      for (let step = 0; step < steps; step++)
        await trainer.step(text(1 + ticket * steps + step), batch, rate);
      const delta = await trainer.delta(); // a version of this delta alone, averaged at rate 1
      weights = weights.map((value, i) => value - delta[i]!);
    }
    await trainer.load(weights, "kept");
    return trainer.evaluate(text(1_000), batch);
  };
  const [adamw, muon] = [await learn("adamw", 0.3 / 64), await learn("muon", 0.64 / 64)];
  const twice = await learn("adamw", 0.64 / 64); // the control: it is not the larger rate
  expect(muon).toBeLessThan(0.9 * adamw);
  expect(muon).toBeLessThan(0.9 * twice);
});
