import { expect, test } from "vitest";
import type { ModelShape } from "../../contract/config.ts";
import { fitTo } from "./fit.ts";
import { GROUPS_LIMIT, type Kernel, wordsOf } from "./kernels/kernel.ts";
import { lowerAll } from "./lower.ts";
import { endOfSubmit, estimate, MAX_SUBMIT_MS, SLOWEST } from "./pace.ts";
import { MAX_DISPATCH_MS, split } from "./split.ts";
import { candidates, likeliest, tuningFor } from "./tuning.ts";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
/** One of its twelve layers: the others are the same again. */
const GPT2: ModelShape = { layers: 1, heads: 12, width: 768, context: 1024, vocabulary: 50_257 };
const P23M: ModelShape = { layers: 8, heads: 8, width: 448, context: 256, vocabulary: 8_192 };
const hardware = { software: false, subgroups: true };
const UNLIMITED = { maxStorageBufferBindingSize: 2 ** 40, maxBufferSize: 2 ** 40 };

function kernelsOf(shape: ModelShape, tiles = likeliest(hardware)): Kernel[] {
  const { training, tables } = fitTo({ shape, optimizer, batch: 4 }, UNLIMITED);
  const ops = [...training.first, ...training.update];
  return lowerAll(ops, tuningFor(hardware, tiles), tables);
}

const kernel = (groups: Kernel["groups"], ms: number, grid = false): Kernel => ({
  name: "made up",
  code: "",
  unit: 4,
  at: {},
  groups,
  grid,
  work: { flops: (ms / 1_000) * SLOWEST.hardware.flops, bytes: 0 },
});

/** How often each workgroup runs, by its place in the whole dispatch. */
function runs(pieces: readonly Kernel[], [across]: Kernel["groups"]): Map<number, number> {
  const times = new Map<number, number>();
  for (const { groups, first = [0, 0], grid } of pieces)
    for (let y = 0; y < groups[1]; y++)
      for (let x = 0; x < groups[0]; x++) {
        const place = grid ? (first[1] + y) * across + first[0] + x : first[0] + y * GROUPS_LIMIT + x;
        times.set(place, (times.get(place) ?? 0) + 1);
      }
  return times;
}

test.each<[string, Kernel["groups"], number, boolean]>([
  ["a line", [1_000, 1], 2_345, false],
  ["a line that is folded", [GROUPS_LIMIT, 7], 999, false],
  ["a line that is folded, in stretches shorter than a fold", [GROUPS_LIMIT, 2], 100_000, false],
  ["a line shorter than its pieces", [3, 1], 2_000, false],
  ["a grid", [5, 40], 1_500, true],
  ["a grid whose rows take too long by themselves", [70, 3], 4_000, true],
  ["a batch of grids", [4, 30, 6], 1_500, true],
])("%s is split into pieces that run each workgroup once, and none for too long", (_, groups, ms, grid) => {
  const whole = kernel(groups, ms, grid);
  const pieces = split(whole, SLOWEST.hardware);
  const times = runs(pieces, groups);
  expect(times.size).toBe(groups[0] * groups[1]);
  expect(new Set(times.values())).toEqual(new Set([1]));
  expect(new Set(pieces.map((piece) => piece.groups[2]))).toEqual(new Set([groups[2]]));
  const flops = pieces.reduce((sum, { work }) => sum + work.flops, 0);
  expect(flops / whole.work.flops).toBeCloseTo(1, 9);
  for (const piece of pieces)
    expect(
      piece.groups[0] * piece.groups[1] === 1 || estimate(piece, SLOWEST.hardware) <= 1.01 * MAX_DISPATCH_MS,
    ).toBe(true);
});

test("two products that share a dispatch get several where it would take too long, each with workgroups of its own", () => {
  const small = kernelsOf({ ...P23M, layers: 1, width: 64, vocabulary: 512 });
  const [pair] = small.filter(({ apart }) => apart);
  expect(small.filter(({ apart }) => apart)).toHaveLength(5);
  const [x, y] = pair!.groups;
  expect(pair!.apart!.reduce((sum, { groups }) => sum + groups[0] * groups[1], 0)).toBe(x * y);
  expect(split(pair!, SLOWEST.hardware)).toEqual([pair]);
  const slower = { ...SLOWEST.hardware, flops: pair!.work.flops / 1.5 / (MAX_DISPATCH_MS / 1_000) };
  const pieces = split(pair!, slower);
  expect(pieces).toEqual(pair!.apart);
});

test("what is short enough is left as it is", () => {
  const whole = kernel([1_000, 1], MAX_DISPATCH_MS - 1);
  expect(split(whole, SLOWEST.hardware)).toEqual([whole]);
  expect(split(whole, SLOWEST.hardware)[0]).toBe(whole);
});

test("no dispatch of GPT-2 small, with any tile, takes longer than a watchdog allows; whole ones do", () => {
  for (const tile of candidates(hardware).NN) {
    const whole = kernelsOf(GPT2, { NN: tile, NT: tile, TN: tile });
    const times = (kernels: readonly Kernel[]) => kernels.map((one) => estimate(one, SLOWEST.hardware));
    expect(Math.max(...times(whole))).toBeGreaterThan(2_000);
    const pieces = whole.flatMap((one) => split(one, SLOWEST.hardware));
    expect(Math.max(...times(pieces))).toBeLessThanOrEqual(1.01 * MAX_DISPATCH_MS);
    expect(Math.max(...pieces.map((piece) => wordsOf(piece).length))).toBeGreaterThan(8); // and none too many
  }
});

test("a step of 23M parameters on an adapter of 2 TFLOP/s is cut into submits of 60 ms at most; whole it takes 600", () => {
  const rates = { flops: 2e12 * 0.09, bytes: 50e9, dispatch: 0.02 }; // what its kernels reach of it, estimated
  const kernels = kernelsOf(P23M).flatMap((one) => split(one, SLOWEST.hardware));
  const costs = kernels.map((one) => estimate(one, rates));
  expect(costs.reduce((sum, cost) => sum + cost, 0)).toBeGreaterThan(400);
  const submits: number[] = [];
  for (let from = 0; from < costs.length; ) {
    const end = endOfSubmit(costs, from, MAX_SUBMIT_MS);
    submits.push(costs.slice(from, end).reduce((sum, cost) => sum + cost, 0));
    from = end;
  }
  expect(Math.max(...submits)).toBeLessThanOrEqual(60);
  expect(submits.length).toBeLessThan(40);
});
