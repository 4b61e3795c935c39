import { expect, test } from "vitest";
import type { Gemm, Slot } from "../../ops.ts";
import { denseStride } from "../../products.ts";
import { candidates } from "../tuning.ts";
import { gemms } from "./gemm.ts";
import { AT_BYTES, shaderOf, wordsOf } from "./kernel.ts";
import type { Tile } from "./tile.ts";

const [tile] = candidates({ software: false, subgroups: false }).NN;

/** dW and da of a layer with a weight [k, n], on so many rows; `first` is where the operands begin. */
function backward(rows: number, k: number, n: number, first = 0): Gemm[] {
  const slot = (length: number): Slot => ({ arena: "activations", offset: first, length });
  const rest = { bias: null, residual: null, accumulate: false } as const;
  const of = (mode: "TN" | "NT", sides: { m: number; n: number; k: number }) => ({
    ...{ op: "gemm" as const, mode, ...sides, ...rest, stride: denseStride({ mode, ...sides }) },
    ...{ a: slot(sides.m * sides.k), b: slot(sides.k * sides.n), out: slot(sides.m * sides.n) },
  });
  return [
    { ...of("TN", { m: k, n, k: rows }), activation: "none", pre: null, biasGradient: slot(n), beside: true },
    {
      ...of("NT", { m: rows, n: k, k: n }),
      activation: "gelu-backward",
      pre: slot(rows * k),
      biasGradient: null,
    },
  ];
}

const all = (tile: Tile) => ({ NN: tile, NT: tile, TN: tile });

test("two products that have the same invocations share a dispatch, whatever their tiles", () => {
  const [kernel, ...others] = gemms(backward(512, 384, 96), all(tile));
  expect(others).toEqual([]);
  expect(kernel).toMatchObject({ name: "gemm-TN-shared-split-NT-shared", unit: 4 });
  const [weights, input] = kernel!.apart!;
  const groups = [weights!, input!].map(({ groups: [x, y] }) => x * y);
  expect(kernel!.at.begin).toBe(groups[0]);
  expect(kernel!.groups).toEqual([groups[0]! + groups[1]!, 1]);
  expect(kernel!.work.flops).toBe(weights!.work.flops + input!.work.flops);
});

test("each reads its own places: nothing of the one is named by the other", () => {
  const [kernel] = gemms(backward(512, 96, 384, 64), all(tile));
  const code = shaderOf(kernel!);
  const named = new Set([...code.matchAll(/\bat\.(\w+)/g)].map(([, name]) => name!));
  named.delete("first");
  expect([...named].filter((name) => !(name in kernel!.at))).toEqual([]);
  expect([...named].filter((name) => !/^(one_|two_|begin$)/.test(name))).toEqual([]);
  for (const name of ["finish", "store_bias", "gelu_slope"])
    expect(code.match(new RegExp(`fn \\w*${name}\\(`, "g")) ?? []).toHaveLength(name === "finish" ? 2 : 1);
  expect(wordsOf(kernel!).length * 4).toBeLessThanOrEqual(AT_BYTES);
});

test("with other numbers of invocations each has a dispatch of its own", () => {
  const small: Tile = { ...tile, down: 8, across: 8 };
  const tiles = { NN: tile, NT: small, TN: tile };
  expect(gemms(backward(512, 96, 384), tiles).map(({ name }) => name)).toEqual([
    "gemm-TN-shared-split",
    "gemm-NT-shared",
  ]);
});

test("products of one size share code, wherever their operands lie", () => {
  const [a] = gemms(backward(512, 96, 384), all(tile));
  const [b] = gemms(backward(512, 96, 384, 4_096), all(tile));
  expect(shaderOf(a!)).toBe(shaderOf(b!));
  expect(wordsOf(a!)).not.toEqual(wordsOf(b!));
});
