import { describe, expect, test } from "vitest";
import { expectNoLiveOverlap, meetings } from "../../test/plan-checks.ts";
import type { ModelShape } from "../contract/config.ts";
import { recomputingLeast } from "./fit.ts";
import { CHUNK, CHUNK_WORDS, halved, halvesLength } from "./halves.ts";
import type { Op } from "./ops.ts";
import { slotsOf } from "./plan.ts";
import { byBlock, type Recompute, selective } from "./recompute.ts";
import { trainingSchedule } from "./schedule.ts";
import { loadKernels } from "./wasm/kernels.ts";
import { Replica } from "./wasm/replica.ts";
import { fitTo, plannedBytes } from "./webgpu/fit.ts";
import { areAlike, heldTo } from "./webgpu/half-precision.ts";
import { NEEDS } from "./webgpu/lower.ts";
import { inParts } from "./webgpu/pieces.ts";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const shape: ModelShape = { layers: 4, heads: 2, width: 32, context: 48, vocabulary: 11 };
const asTheyAre = (ops: readonly Op[]) => ops;
const plan = (again?: Recompute) => trainingSchedule(shape, 1, optimizer, NEEDS, again);

test("a chunk's words are half of its values, and a scale", () => {
  expect([0, 1, CHUNK, CHUNK + 1].map(halvesLength)).toEqual([0, CHUNK_WORDS, CHUNK_WORDS, 2 * CHUNK_WORDS]);
  expect(CHUNK_WORDS % 4).toBe(0);
});

describe("the schedule with activations in f16", () => {
  const halves = plan(halved);
  const conversions = (op: "pack" | "unpack") => halves.first.filter((one) => one.op === op);

  test("converts five of a block's values, once there and once back", () => {
    for (const op of ["pack", "unpack"] as const) expect(conversions(op).length).toBe(5 * shape.layers);
    expect(halves.first.length).toBe(plan(selective).first.length + 10 * shape.layers);
    const order = halves.first.map(({ op }) => op);
    expect(order.lastIndexOf("pack")).toBeLessThan(order.indexOf("cross-entropy"));
    expect(order.indexOf("unpack")).toBeGreaterThan(order.indexOf("cross-entropy"));
  });

  test("over places that are whole when they are read", () => {
    expectNoLiveOverlap([...halves.first, ...halves.update], [halves.losses]);
    for (const [i, op] of halves.first.entries()) {
      if (!(op.op === "gemm" && op.beside)) continue;
      const next = halves.first[i + 1]!;
      expect(next.op === "gemm" && next.mode !== "TN").toBe(true);
      expect(meetings(op, next)).toEqual([]);
    }
  });

  test("keeps no block's values but in f16, and what attention keeps", () => {
    const turn = halves.first.findIndex(({ op }) => op === "cross-entropy");
    const [before, after] = [halves.first.slice(0, turn), halves.first.slice(turn)];
    const names = (ops: readonly Op[]) => new Set(ops.flatMap(slotsOf));
    const saved = new Set(before.flatMap((op) => (op.op === "attention" ? [op.saved] : [])));
    const packed = new Set(halves.first.flatMap((op) => (op.op === "pack" ? [op.halves] : [])));
    const crossing = [...names(before)].filter(
      (slot) => slot.arena === "activations" && names(after).has(slot),
    );
    const others = crossing.filter((slot) => !saved.has(slot) && !packed.has(slot));
    expect(crossing.length - others.length).toBe(6 * shape.layers);
    // the final norm's: its input, output and statistics, and the logits
    expect(others.length).toBe(4);
    expect(others.every((slot) => before.slice(-3).flatMap(slotsOf).includes(slot))).toBe(true);
  });

  test("takes less than norms and GELU again, and more than blocks again", () => {
    const [kept, some, half, least] = [undefined, selective, halved, byBlock].map(
      (again) => plan(again).arenas.activations,
    );
    expect(kept!).toBeGreaterThan(some!);
    expect(some!).toBeGreaterThan(half!);
    expect(half!).toBeGreaterThan(least!);
  });

  test.each([1, 2, 3])("has room for what it is held to, with %i layers", (layers) => {
    const limits = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 31 };
    const options = { shape: { ...shape, layers }, optimizer, batch: 1 };
    const within = (bound: typeof limits) => (again: Recompute) => ({
      fit: fitTo(options, bound, asTheyAre, again),
    });
    const planned = within(limits);
    const both = [halved, byBlock].map((again) => planned(again).fit.lengths.activations);
    const { fit, open } = heldTo(planned, halved);
    expect(fit.lengths.activations).toBe(Math.max(...both));
    expect(both[0]! < both[1]!).toBe(layers < 3); // of few layers, blocks are the larger
    expect(open).toBeDefined();
    expect(heldTo(planned, byBlock).open).toBeUndefined();
    const tight = within({ ...limits, maxStorageBufferBindingSize: 4 * both[1]! - 16 });
    expect(() => heldTo(tight, halved)).toThrow(/one sequence's activations take/);
  });
});

test("WASM never has it: its bits would depend on its memory", async () => {
  const kernels = await loadKernels(false);
  const about = { shape, optimizer, batch: 1, memoryLimit: 2 ** 30 };
  const replica = new Replica(kernels, about, halved);
  const tokens = new Uint16Array(shape.context + 1);
  expect(() => replica.backward(tokens, 1, shape.context)).toThrow(
    expect.objectContaining({ code: "bad-shape", message: "pack" }),
  );
  const tried: (Recompute | undefined)[] = [];
  const refuse = (again?: Recompute) => {
    tried.push(again);
    return new Replica(kernels, { ...about, memoryLimit: 1 }, again);
  };
  await expect(recomputingLeast(refuse)).rejects.toThrow(/one sequence needs/);
  expect(tried).toEqual([undefined, selective, byBlock]);
  await expect(recomputingLeast(refuse, true)).rejects.toThrow(/one sequence needs/);
  expect(tried.slice(3)).toEqual([undefined, selective, halved, byBlock]);
});

describe("gradients are as close as they must be", () => {
  const whole = { loss: 2, gradients: [Float32Array.of(3, -4, 1), Float32Array.of(0, 0)] };
  const with3 = (...values: number[]) => ({
    loss: 2,
    gradients: [Float32Array.of(...values), Float32Array.of(0, 0)],
  });

  test("where rounding explains the difference", () => {
    expect(areAlike(with3(3.002, -4.002, 0.999), whole)).toBe(true);
  });

  test.each([
    ["two values are swapped", with3(-4, 3, 1)],
    ["one is off by a tenth", with3(3, -4, 1.5)],
    ["one is no number", with3(3, -4, Number.NaN)],
    ["the loss is another", { ...with3(3, -4, 1), loss: 2.01 }],
    ["the loss is no number", { ...with3(3, -4, 1), loss: Number.NaN }],
    [
      "a gradient is there where none is",
      { loss: 2, gradients: [whole.gradients[0]!, Float32Array.of(0, 1e-9)] },
    ],
  ])("not where %s", (_, halves) => {
    expect(areAlike(halves, whole)).toBe(false);
  });
});

describe("GPT-2 small", () => {
  const gpt2 = (layers: number, context: number): ModelShape => ({
    layers,
    heads: 12,
    width: 768,
    context,
    vocabulary: 50_257,
  });
  const least = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };
  const unlimited = { maxStorageBufferBindingSize: 2 ** 31, maxBufferSize: 2 ** 31 };
  const fitOf = (layers: number, context: number, limits: typeof least, again?: Recompute) =>
    fitTo({ shape: gpt2(layers, context), optimizer, batch: 1 }, limits, inParts, again);

  test("takes 243 MiB of activations at 1,024 tokens: 420 in f32, and 97 block by block", () => {
    const fit = fitOf(12, 1_024, unlimited, halved);
    expect(Math.round((4 * fit.lengths.activations) / 2 ** 20)).toBe(243);
    expect((plannedBytes(fit) / 1e9).toFixed(2)).toBe("3.26");
  });

  test("of 18 layers fits at 256 tokens where 128 MiB are bound; control: not of 11 in f32", () => {
    expect(() => fitOf(11, 256, least, selective)).toThrow(/one sequence's activations take/);
    const { lengths } = fitOf(18, 256, least, halved);
    expect(4 * lengths.activations).toBeLessThanOrEqual(2 ** 27);
  });
});
