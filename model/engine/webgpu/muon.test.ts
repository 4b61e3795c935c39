import { expect, test } from "vitest";
import type { ModelShape, Optimizer } from "../../contract/config.ts";
import { layoutOf } from "../../contract/layout.ts";
import { muonMatrices } from "../../contract/muon.ts";
import { trainingSchedule } from "../schedule.ts";
import { segmentsOf } from "../second-moments.ts";
import { lowerAll, NEEDS } from "./lower.ts";
import { muonBatches, muonWorkspace } from "./muon.ts";
import { tablesOf } from "./tables.ts";
import { likeliest, tuningFor } from "./tuning.ts";

const optimizer: Optimizer = {
  beta1: 0.9,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.1,
  clip: 1,
  inner: "muon",
};
const S: ModelShape = { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 };
const large: ModelShape = { layers: 12, heads: 12, width: 768, context: 64, vocabulary: 256 };

/** The update's dispatches, and the tables that they read. */
function updateOf(shape: ModelShape, inner: "adamw" | "muon") {
  const { update } = trainingSchedule(shape, 1, { ...optimizer, inner }, NEEDS);
  const tables = tablesOf(update, 100);
  const gpu = { software: false, subgroups: false };
  const kernels = lowerAll(update, tuningFor(gpu, likeliest(gpu)), tables);
  return { kernels, tables, muonAt: tables.places.get(update[2]!)! };
}

test("a small model's matrices are turned in two batches: the square ones, and the MLP's whichever way they lie", () => {
  const batches = muonBatches(muonMatrices(layoutOf(S)));
  expect(batches.map(({ n, m, matrices }) => [n, m, matrices.length])).toEqual([
    [64, 64, 8],
    [64, 256, 4],
  ]);
});

test.each([S, large, { ...S, width: 2048 }])(
  "every matrix is in one batch, and no workspace is larger than 16 MiB but one matrix's: %o",
  (shape) => {
    const matrices = muonMatrices(layoutOf(shape));
    const batches = muonBatches(matrices);
    const offsets = batches.flatMap(({ matrices }) => matrices.map(({ offset }) => offset));
    expect(offsets.toSorted((a, b) => a - b)).toEqual(matrices.map(({ offset }) => offset));
    for (const { n, m, matrices } of batches) {
      for (const { rows, columns } of matrices)
        expect([rows, columns].toSorted((a, b) => a - b)).toEqual([n, m]);
      if (matrices.length > 1) expect(muonWorkspace(matrices)).toBeLessThanOrEqual(2 ** 22);
    }
  },
);

test("a large model's batches are as many as the workspace asks for, each with entries of its own", () => {
  const batches = muonBatches(muonMatrices(layoutOf(large)));
  expect(batches.length).toBeGreaterThan(2);
  const { kernels, tables, muonAt } = updateOf(large, "muon");
  const entries = kernels.filter(({ name }) => name === "muon-apply").map(({ at }) => at.table!);
  const expected = batches.map((_, i) =>
    batches.slice(0, i).reduce((at, { matrices }) => at + 3 * matrices.length, muonAt),
  );
  expect(entries).toEqual(expected);
  batches.forEach(({ matrices }, i) => {
    const from = entries[i]! - 100;
    expect([...tables.words.subarray(from, from + 3)]).toEqual([
      matrices[0]!.offset,
      matrices[0]!.stride,
      matrices[0]!.rows > matrices[0]!.columns ? 1 : 0,
    ]);
  });
});

test("Muon's update has 18 dispatches a batch more than AdamW's three, whose kernel then skips the matrices", () => {
  const names = updateOf(S, "adamw").kernels.map(({ name }) => name);
  expect(names).toEqual(["norm-partial", "norm", "adamw"]);
  const { kernels } = updateOf(S, "muon");
  expect(kernels.length).toBe(3 + 2 * 18);
  expect(kernels.slice(0, 3).map(({ name }) => name)).toEqual(names);
  // a batch is a dispatch, not one a matrix
  expect(kernels.filter(({ groups }) => groups[2] === 8).length).toBe(18);
  expect(kernels.filter(({ groups }) => groups[2] === 4).length).toBe(18);
});

test("batches of one shape share their pipelines, and both shapes' do", () => {
  const code = new Set(updateOf(large, "muon").kernels.map(({ name, code }) => `${name} ${code}`));
  // norm twice and AdamW; momentum, scale, apply; the Gram matrix, and the product that adds a multiple of another
  expect(code.size).toBe(3 + 3 + 2);
});

test("AdamW's table names each value of v once, where it lies among the weights, with its decay", () => {
  for (const width of [8, 6]) {
    const shape = { layers: 2, heads: 2, width, context: 3, vocabulary: 5 };
    const { tables, muonAt } = updateOf(shape, "muon");
    const unit = width % 4 === 0 ? 4 : 1;
    const expected = segmentsOf(layoutOf(shape), optimizer).flatMap(({ offset, length, decays }) =>
      Array.from({ length: length / unit }, (_, i) => 2 * (offset / unit + i) + (decays ? 1 : 0)),
    );
    expect([...tables.words.subarray(0, expected.length)]).toEqual(expected);
    expect(muonAt).toBe(100 + expected.length);
  }
});
