import { expect, test } from "vitest";
import type { ModelShape, Optimizer } from "../../contract/config.ts";
import { decays, layoutOf } from "../../contract/layout.ts";
import { muonMatrices } from "../../contract/muon.ts";
import type { Op } from "../ops.ts";
import { slotsOf } from "../plan.ts";
import { trainingSchedule } from "../schedule.ts";
import { segmentsOf, squaresOf } from "../second-moments.ts";
import { lowerAll, NEEDS } from "./lower.ts";
import { inParts } from "./pieces.ts";
import { tablesOf } from "./tables.ts";
import { likeliest, tuningFor } from "./tuning.ts";
import { overlaps, vectorsOf } from "./vectors.ts";

const optimizer: Optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const shape: ModelShape = { layers: 3, heads: 2, width: 32, context: 4, vocabulary: 1_001 };
const layout = layoutOf(shape);
const most = 17_500;
const gpu = { software: false, subgroups: false };

test.each(["adamw", "muon"] as const)(
  "parts with %s hold every value once, in order, and no tensor twice",
  (inner) => {
    const vectors = vectorsOf({ shape, optimizer: { ...optimizer, inner } }, most);
    for (const parts of [vectors.weights, vectors.residual]) {
      expect(parts.length).toBeGreaterThan(3);
      let end = 0;
      for (const { from, length } of parts) {
        expect(from).toBe(end);
        expect(length).toBeLessThanOrEqual(most);
        end += length;
      }
      expect(end).toBe(layout.length);
    }
    for (const { name, offset, length } of layout.tensors.filter(({ name }) => name !== "wte.weight"))
      expect(
        vectors.weights.filter((part) => part.from <= offset && offset + length <= part.from + part.length),
        name,
      ).toHaveLength(1);
    for (const { from } of vectors.residual) expect(from % 4_096).toBe(0);
    expect(vectors.squares.reduce((sum, { length }) => sum + length, 0)).toBe(
      squaresOf(segmentsOf(layout, { ...optimizer, inner })),
    );
  },
);

test("a vector that fits is one part, and its ops are left as they are", () => {
  const vectors = vectorsOf({ shape, optimizer }, layout.length);
  expect([vectors.weights, vectors.squares, vectors.residual].map(({ length }) => length)).toEqual([1, 1, 1]);
  const { first } = trainingSchedule(shape, 1, optimizer, NEEDS);
  expect(inParts(first, vectors)).toBe(first);
});

/** Each place of a vector that the ops name, by how many of them, counted through the whole vector. */
function touched(
  ops: readonly { readonly op: string }[],
  arena: string,
  starts: readonly number[],
): number[] {
  const times = Array<number>(layout.length).fill(0);
  for (const op of ops)
    for (const slot of slotsOf(op).filter((slot) => slot.arena === arena))
      for (let i = 0; i < slot.length; i++) times[starts[slot.part ?? 0]! + slot.offset + i]!++;
  return times;
}

test("the pieces of a step read and write what the whole does, each in one buffer an arena", () => {
  const vectors = vectorsOf({ shape, optimizer: { ...optimizer, inner: "muon" } }, most);
  const { first, update } = trainingSchedule(shape, 2, { ...optimizer, inner: "muon" }, NEEDS);
  const starts = vectors.weights.map(({ from }) => from);
  const products = (ops: readonly Op[]) => ops.filter(({ op }) => op !== "norm"); // whose slots are lists in pieces
  const cut = inParts(first, vectors);
  for (const arena of ["parameters", "gradients"])
    expect(touched(cut, arena, starts)).toEqual(touched(products(first), arena, [0]));
  const tables = tablesOf(inParts(update, vectors), 0);
  const ops = [...cut, ...inParts(update, vectors)];
  for (const op of ops)
    for (const arena of ["parameters", "gradients", "m", "v"]) {
      const parts = slotsOf(op).flatMap((slot) => (slot.arena === arena ? [slot.part] : []));
      expect(new Set(parts).size, op.op).toBeLessThanOrEqual(1);
    }
  const matrices = [...tables.places.keys()].flatMap((op) => (op.op === "muon" ? op.matrices : []));
  expect(matrices).toHaveLength(muonMatrices(layout).length);
});

test("AdamW's table has a bit for each value, set where weight decay pulls, of odd tensors in parts as well", () => {
  const odd: ModelShape = { layers: 2, heads: 3, width: 21, context: 5, vocabulary: 333 };
  const { tensors, length } = layoutOf(odd);
  for (const room of [length, 3_000]) {
    const vectors = vectorsOf({ shape: odd, optimizer }, room);
    const { update } = trainingSchedule(odd, 1, optimizer, NEEDS);
    const ops = inParts(update, vectors);
    const { places, words } = tablesOf(ops, 0);
    let begin = 0;
    for (const op of ops) {
      if (op.op !== "adamw") continue;
      for (let i = 0; i < op.parameters.length; i++) {
        const tensor = tensors.find(({ offset, length }) => begin + i < offset + length)!;
        expect((words[places.get(op)! + (i >> 5)]! >> (i % 32)) & 1, tensor.name).toBe(
          decays(tensor) ? 1 : 0,
        );
      }
      begin += op.parameters.length;
    }
    expect(begin).toBe(length);
  }
});

test("a dispatch binds the parts that its op names, also where it is one of two that a pair became", () => {
  const vectors = vectorsOf({ shape, optimizer }, most);
  const { first, update } = trainingSchedule(shape, 2, optimizer, NEEDS);
  const moved = inParts(update, vectors);
  const kernels = lowerAll(
    [...inParts(first, vectors), ...moved],
    tuningFor(gpu, likeliest(gpu)),
    tablesOf(moved, 0),
  );
  const bound = (name: string) =>
    kernels.filter((kernel) => kernel.name === name).map(({ bound = {} }) => bound);
  const parts = vectors.weights.map((_, i) => i);
  expect(bound("adamw").map(({ v = 0 }) => v)).toEqual(parts);
  expect(bound("norm-partial").map(({ gradients = 0 }) => gradients)).toEqual(parts);
  expect(bound("embed-rows").map(({ parameters = 0 }) => parameters)).toEqual([0, 1]);
  for (const { apart, bound } of kernels) for (const one of apart ?? []) expect(one.bound).toEqual(bound);
});

test("overlaps are the runs that lie in one part of either way to cut", () => {
  const ones = [
    { from: 0, length: 5 },
    { from: 5, length: 7 },
  ];
  const twos = [0, 4, 8].map((from) => ({ from, length: 4 }));
  expect(overlaps(ones, twos)).toEqual([
    { one: 0, two: 0, oneFrom: 0, twoFrom: 0, length: 4 },
    { one: 0, two: 1, oneFrom: 4, twoFrom: 0, length: 1 },
    { one: 1, two: 1, oneFrom: 0, twoFrom: 1, length: 3 },
    { one: 1, two: 2, oneFrom: 3, twoFrom: 0, length: 4 },
  ]);
});
