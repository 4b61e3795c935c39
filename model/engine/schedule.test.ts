import { describe, expect, test } from "vitest";
import { expectNoLiveOverlap, meetings } from "../../test/plan-checks.ts";
import { layoutOf } from "../contract/layout.ts";
import type { DeviceNeeds } from "./device-needs.ts";
import type { Op } from "./ops.ts";
import { planActivations, slotsOf } from "./plan.ts";
import { evaluationSchedule, logitsSchedule, trainingSchedule } from "./schedule.ts";
import { packSquares, segmentsOf, squaresOf, unpackSquares } from "./second-moments.ts";

const shape = { layers: 3, heads: 2, width: 8, context: 6, vocabulary: 11 };
const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
const needs: DeviceNeeds = {
  attention: (b, t, h) => b * t * h,
  partials: 1,
  rowAlignment: 1,
  logits: Number.POSITIVE_INFINITY,
  muon: () => 50,
  scratch: () => 0,
};

describe("the training schedule", () => {
  test.each([1, 2, 5, 12])("has 18 ops a layer and 10 around them, with %i layers", (layers) => {
    const { first, more, update } = trainingSchedule({ ...shape, layers }, 2, optimizer, needs);
    expect(first.length + update.length).toBe(18 * layers + 10);
    expect(more.length).toBe(first.length);
  });

  test("writes every gradient exactly once, except the tied embedding's second part", () => {
    const { first } = trainingSchedule(shape, 2, optimizer, needs);
    const written = new Map<number, number>();
    for (const slot of first.flatMap(gradientsWritten))
      for (let i = slot.offset; i < slot.offset + slot.length; i++) written.set(i, (written.get(i) ?? 0) + 1);
    const layout = layoutOf(shape);
    const [wte] = layout.tensors;
    for (let i = 0; i < layout.length; i++) expect(written.get(i)).toBe(i < wte!.length ? 2 : 1);
  });

  test("accumulates gradients, and nothing else, from the second micro-batch on", () => {
    const { first, more } = trainingSchedule(shape, 2, optimizer, needs);
    for (const [i, op] of more.entries()) {
      const wasFirst = first[i]!;
      if (gradientsWritten(op).length > 0) expect(op).toEqual({ ...wasFirst, accumulate: true });
      else expect(op).toBe(wasFirst);
    }
  });

  test("keeps slots apart whenever one is read after the other was written", () => {
    const { first, update, losses } = trainingSchedule(shape, 2, optimizer, needs);
    expectNoLiveOverlap([...first, ...update], [losses]);
  });

  test("gives no memory to two that a device may work on at the same time; control: it would, one after the other", () => {
    const { first } = trainingSchedule({ ...shape, width: 32 }, 2, optimizer, needs);
    expect(first.filter(isBeside)).toHaveLength(4 * shape.layers + 1);
    expect(first.flatMap((op, i) => (isBeside(op) ? meetings(op, first[i + 1]!) : []))).toEqual([]);
    const apart = first.map((op) => (isBeside(op) ? { ...op, beside: false } : op));
    planActivations(apart, []);
    const met = apart.flatMap((op, i) => (isBeside(first[i]!) ? meetings(op, apart[i + 1]!) : []));
    expect(met.length).toBeGreaterThan(0);
  });

  test("reuses memory: the backward needs little more than what the forward kept", () => {
    const deep = { ...shape, layers: 8, width: 64, context: 32 };
    const { arenas } = trainingSchedule(deep, 2, optimizer, needs);
    const rows = 2 * deep.context;
    expect(arenas.activations).toBeLessThan(1.15 * deep.layers * rows * 16 * deep.width);
  });
});

describe("logits of some rows at a time", () => {
  const wide = { ...shape, context: 100, vocabulary: 200 };
  const few = { ...needs, logits: 64 * 200 };

  test("repeat the head's four ops, whose places are pieces of the whole's", () => {
    const { first, losses, arenas } = trainingSchedule(wide, 2, optimizer, few);
    const whole = trainingSchedule(wide, 2, optimizer, needs);
    const heads = first.filter((op) => op.op === "cross-entropy");
    expect(heads.map(({ before, rows }) => [before, rows])).toEqual(
      [0, 64, 128, 192].map((at) => [at, Math.min(64, 200 - at)]),
    );
    expect(first.length).toBe(whole.first.length + 3 * 4);
    for (const { losses: some, before } of heads) expect(some.offset).toBe(losses.offset + before);
    expect(heads.map(({ targets }) => targets.offset)).toEqual([200, 264, 328, 392]);
    expect(new Set(heads.map(({ logits }) => logits.offset)).size).toBe(1); // one after another in the same place
    expect(whole.arenas.activations - arenas.activations).toBeGreaterThan(100 * 200);
  });

  test("keep slots apart, and give no memory to two at the same time", () => {
    const { first, update, losses } = trainingSchedule(wide, 2, optimizer, few);
    expectNoLiveOverlap([...first, ...update], [losses]);
    expect(first.flatMap((op, i) => (isBeside(op) ? meetings(op, first[i + 1]!) : []))).toEqual([]);
  });

  test("overwrite the table's gradient once, and then add to it", () => {
    const { first, more } = trainingSchedule(wide, 2, optimizer, few);
    const adds = (ops: readonly Op[]) =>
      ops.flatMap((op) => (op.op === "gemm" && op.mode === "TN" && op.m === 200 ? [op.accumulate] : []));
    expect(adds(first)).toEqual([false, true, true, true]);
    expect(adds(more)).toEqual([true, true, true, true]);
  });

  test("are what evaluation needs, too", () => {
    const { ops, losses, arenas } = evaluationSchedule(wide, 2, few);
    expectNoLiveOverlap(ops, [losses]);
    expect(ops.filter(({ op }) => op === "cross-entropy")).toHaveLength(4);
    expect(arenas.activations).toBeLessThan(evaluationSchedule(wide, 2, needs).arenas.activations);
  });
});

describe("forward-only schedules", () => {
  test("need the memory of one layer, however deep the net", () => {
    const shallow = evaluationSchedule({ ...shape, layers: 2 }, 2, needs).arenas.activations;
    const deep = evaluationSchedule({ ...shape, layers: 9 }, 2, needs).arenas.activations;
    expect(deep).toBe(shallow);
  });

  test("give logits for any length up to the context", () => {
    const { parts } = logitsSchedule(shape, 4, needs);
    const [{ ops, logits }] = parts as [(typeof parts)[0]];
    expect(parts.length).toBe(1);
    expect(ops.length).toBe(7 * shape.layers + 3);
    expect(logits.length).toBe(4 * shape.vocabulary);
    expectNoLiveOverlap(ops, [logits]);
  });

  test("give logits of some rows after the other, each in the place of those before", () => {
    const wide = { ...shape, context: 100, vocabulary: 200 };
    const { parts, arenas } = logitsSchedule(wide, 100, { ...needs, logits: 64 * 200 });
    expect(parts.map(({ ops, logits }) => [ops.length, logits.length / 200])).toEqual([
      [7 * shape.layers + 3, 64],
      [1, 36],
    ]);
    expectNoLiveOverlap(
      parts.flatMap(({ ops }) => ops),
      [parts[1]!.logits],
    );
    expect(arenas.activations).toBeLessThan(logitsSchedule(wide, 100, needs).arenas.activations);
  });
});

test("segments cover the vector in order and follow the layout's decay", () => {
  const layout = layoutOf(shape);
  const segments = segmentsOf(layout, optimizer);
  let at = 0;
  for (const segment of segments) {
    expect(segment.offset).toBe(at);
    at += segment.length;
  }
  expect(at).toBe(layout.length);
  const biasOfLast = layout.tensors.at(-1)!;
  expect(segments.at(-1)).toMatchObject({ decays: false });
  expect(segments.at(-1)!.offset).toBeLessThan(biasOfLast.offset);
  expect(segments[0]).toMatchObject({ offset: 0, decays: true });
});

test("with Muon one op more turns the matrices, and squares are kept of everything else alone", () => {
  const { update } = trainingSchedule(shape, 2, { ...optimizer, inner: "muon" }, needs);
  const [, adamw, muon] = update;
  if (adamw?.op !== "adamw" || muon?.op !== "muon" || update.length !== 3) throw new Error("three ops");
  const layout = layoutOf(shape);
  const moved = new Uint8Array(layout.length);
  for (const { offset, length } of adamw.segments) moved.fill(1, offset, offset + length);
  for (const { offset, rows, columns, stride } of muon.matrices)
    for (let i = 0; i < rows * columns; i++)
      moved[offset + Math.floor(i / columns) * stride + (i % columns)]! += 2;
  const tensors = layout.tensors.map(({ name, offset }) => [name, moved[offset]]);
  expect(tensors.filter(([, by]) => by === 2).map(([name]) => name)).toEqual(
    [0, 1, 2].flatMap((h) =>
      ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"].map((name) => `h.${h}.${name}.weight`),
    ),
  );
  expect(moved.every((by) => by === 1 || by === 2)).toBe(true);
  expect(adamw.v.length).toBe(moved.filter((by) => by === 1).length);

  const flat = Float32Array.from(moved, (by, i) => (by === 1 ? i + 1 : 0));
  const packed = packSquares(adamw.segments, flat);
  expect(packed.length).toBe(squaresOf(adamw.segments));
  expect(packed.every((value) => value > 0)).toBe(true);
  expect(unpackSquares(adamw.segments, packed, layout.length)).toEqual(flat);
});

test("the planner puts two slots in one place only when their lives do not meet", () => {
  const slot = (length: number) => ({ arena: "activations" as const, offset: -1, length });
  const [a, b, c] = [slot(100), slot(100), slot(100)];
  const copy = (from: typeof a, to: typeof a): Op => ({ op: "norm", gradients: from, partials: to });
  const size = planActivations([copy(a, b), copy(b, c)], []);
  expect(a.offset).toBe(c.offset);
  expect(b.offset).not.toBe(a.offset);
  expect(size).toBe(256);
  expect(planActivations([copy(a, b), copy(b, c)], [a])).toBe(384);
});

const isBeside = (op: Op): boolean => op.op === "gemm" && op.beside === true;

function gradientsWritten(op: Op) {
  return slotsOf(op).filter((slot) => slot.arena === "gradients" && op.op !== "norm" && op.op !== "adamw");
}
