import { expect, test } from "vitest";
import type { AttentionBackward, Slot } from "../../ops.ts";
import { lower, NEEDS, type Tuning } from "../lower.ts";
import { likeliest, tuningFor } from "../tuning.ts";
import * as quads from "./attention-quad.ts";
import { shaderOf } from "./kernel.ts";

const slot = (length: number): Slot => ({ arena: "activations", offset: 0, length });
const NO_TABLES = { from: 0, words: new Uint32Array(), places: new Map() };

function kernelsOf(size: number, tuning: Tuning) {
  const sides = { batch: 2, context: 40, heads: 3, size };
  const width = 3 * size;
  const op: AttentionBackward = {
    op: "attention-backward",
    qkv: slot(80 * 3 * width),
    out: slot(80 * width),
    saved: slot(NEEDS.attention(2, 40, 3, size)),
    dOut: slot(80 * width),
    dQkv: slot(80 * 3 * width),
    ...sides,
  };
  return [...lower({ ...op, op: "attention" }, tuning, NO_TABLES), ...lower(op, tuning, NO_TABLES)];
}

const tuned = (software: boolean, subgroups: boolean) =>
  tuningFor({ software, subgroups }, likeliest({ software, subgroups }), { quads });

test.each([16, 24, 40, 64, 128])("heads of %i are shared on a GPU, by what it has", (size) => {
  const swapped = kernelsOf(size, tuned(false, true));
  const memory = kernelsOf(size, tuned(false, false));
  expect(swapped).toHaveLength(3);
  expect(swapped.every(({ name, subgroups }) => name.endsWith("quad-lanes") && subgroups)).toBe(true);
  expect(memory.every(({ name, subgroups }) => name.endsWith("workgroup-lanes") && !subgroups)).toBe(true);
  for (const kernel of memory) expect(shaderOf(kernel)).not.toMatch(/quadSwap|enable subgroups/);
  // 40 positions are three blocks of 16, of each of 2 × 3 heads
  for (const { groups } of [...swapped, ...memory]) expect(groups).toEqual([18, 1]);
});

test("heads below 16, heads that are no whole rows of four, and software adapters keep what they had", () => {
  const names = [
    kernelsOf(8, tuned(false, true)),
    kernelsOf(18, tuned(false, true)),
    kernelsOf(64, tuned(true, true)),
  ];
  for (const { name } of names.flat()) expect(name).not.toMatch(/lanes/);
});

test("four lanes ask for subgroups of 8 where the adapter has them and would take more; nothing else does", () => {
  const gpu = { software: false, subgroups: true, eights: true };
  const small = kernelsOf(64, tuningFor(gpu, likeliest(gpu)));
  for (const kernel of small) expect(kernel).toMatchObject({ subgroupSize: 8, subgroups: true });
  for (const kernel of kernelsOf(64, tuned(false, true))) expect(kernel.subgroupSize).toBeUndefined();
  for (const kernel of kernelsOf(8, tuningFor(gpu, likeliest(gpu))))
    expect(kernel.subgroupSize).toBeUndefined();
});
