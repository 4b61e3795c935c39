import { expect, test } from "vitest";
import type { Gemm, Slot } from "../../ops.ts";
import { denseStride } from "../../products.ts";
import { candidates, waysOf } from "../tuning.ts";
import { gemm } from "./gemm.ts";
import { shaderOf } from "./kernel.ts";
import { fitted, groupsFor, MIN_GROUPS, type Tile } from "./tile.ts";

const split = candidates({ software: false, subgroups: false }).NN.filter(({ split }) => split);
/** Bytes and invocations of a workgroup that every device has. */
const WORKGROUP = { bytes: 16_384, invocations: 256 };

const groupsOf = (tile: Tile, m: number, n: number) => {
  const [across, down] = groupsFor(tile, m, n);
  return across * down;
};

function product(m: number, n: number, k: number): Gemm {
  const slot = (length: number): Slot => ({ arena: "activations", offset: 0, length });
  const sides = { mode: "TN", m, n, k } as const;
  const operands = { a: slot(m * k), b: slot(k * n), out: slot(m * n), biasGradient: slot(n) };
  const rest = { bias: null, residual: null, pre: null, activation: "none", accumulate: true } as const;
  return { op: "gemm", ...sides, ...operands, ...rest, stride: denseStride(sides) };
}

test("a product that fills a GPU keeps its tile, and so does one whose k is short", () => {
  for (const tile of split) {
    expect(fitted(tile, 512, 512, 512)).toBe(tile);
    expect(fitted(tile, 96, 96, 16)).toBe(tile);
    expect(fitted(tile, 96, 96, 512, MIN_GROUPS)).toBe(tile); // so many at once
    expect(fitted({ ...tile, split: false }, 96, 96, 512).slices).toBeUndefined();
  }
});

test.each(split)("of $m×$n by $down×$across a small product takes quarters, whose slices share k", (tile) => {
  const small = fitted(tile, 96, 96, 512);
  const { slices = 1 } = small;
  expect(groupsOf(tile, 96, 96)).toBeLessThan(MIN_GROUPS);
  expect(groupsOf(small, 96, 96)).toBeGreaterThan(4 * groupsOf(tile, 96, 96) - 1);
  expect([4, 16]).toContain(slices);
  expect(small.down * small.across * slices).toBe(tile.down * tile.across);
  expect(small.depth / slices).toBeGreaterThanOrEqual(4);
});

test("the default model's products of few values have 32 workgroups and more", () => {
  expect(groupsOf(split[0]!, 96, 96)).toBe(4); // the control
  for (const [m, n, k] of [
    [96, 96, 512],
    [384, 96, 512],
    [512, 96, 96],
  ] as const)
    expect(groupsOf(fitted(split[0]!, m, n, k), m, n)).toBeGreaterThanOrEqual(MIN_GROUPS);
});

test.each(split.flatMap(waysOf))("every device has room for its workgroup: %o", (tile) => {
  for (const [m, n, k] of [
    [96, 96, 64],
    [200, 200, 64],
    [16, 16, 4_096],
  ] as const) {
    const code = shaderOf(gemm(product(m, n, k), { NN: tile, NT: tile, TN: tile }));
    const arrays = [...code.matchAll(/var<workgroup> \w+: array<(f32|vec4f), (\d+)>/g)];
    const bytes = arrays.reduce((sum, [, type, count]) => sum + (type === "f32" ? 4 : 16) * Number(count), 0);
    expect(bytes).toBeGreaterThanOrEqual(4_096);
    expect(bytes).toBeLessThanOrEqual(WORKGROUP.bytes);
    const sides = code
      .match(/@workgroup_size\((\d+), (\d+), (\d+)\)/)!
      .slice(1)
      .map(Number);
    expect(sides.reduce((a, b) => a * b)).toBeLessThanOrEqual(WORKGROUP.invocations);
  }
});
