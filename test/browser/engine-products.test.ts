import { expect, test } from "vitest";
import { layoutOf } from "../../model/contract/layout.ts";
import type { Gemm, Op, Slot } from "../../model/engine/ops.ts";
import { denseStride } from "../../model/engine/products.ts";
import { trainingSchedule } from "../../model/engine/schedule.ts";
import { writeBatch } from "../../model/engine/tokens.ts";
import { gemmUnit } from "../../model/engine/webgpu/kernels/gemm.ts";
import { nameOf, type Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { NEEDS, type Tuning } from "../../model/engine/webgpu/lower.ts";
import { SLOWEST } from "../../model/engine/webgpu/pace.ts";
import { inParts } from "../../model/engine/webgpu/pieces.ts";
import { candidates } from "../../model/engine/webgpu/tuning.ts";
import { inOnePart } from "../../model/engine/webgpu/vectors.ts";
import { Random } from "../../model/lib/random.ts";
import { relative } from "../ops-reference.ts";
import { modulePage } from "./module-page.ts";
import { expectSame, PLAIN, tuning } from "./ops-on-device.ts";
import { SeededArenas } from "./seeded-arenas.ts";

/** Matrix products on WebGPU: each tile, each epilogue, and the head with its loss. */

const opened = modulePage("engine-page.ts");

const listed = [false, true].flatMap((software) =>
  [false, true].flatMap((subgroups) => Object.values(candidates({ software, subgroups })).flat()),
);
const every = [...new Map(listed.map((tile) => [nameOf(tile), tile])).values()];

const SPLIT: Tile = { kind: "shared", m: 4, n: 4, depth: 16, down: 8, across: 8, split: true };
/** Where operands cannot be read four at a time, every tile gives way to the same plain one. */
const SMALL = new Set(["ragged sides", "ragged k", "aligned sides at odd places"]);
const products: [string, number, number, number, boolean, Tile][] = [
  ...every.map((tile): [string, number, number, number, boolean, Tile] => [
    nameOf(tile),
    36,
    44,
    20,
    false,
    tile,
  ]),
  // of few workgroups: in four slices of k, and in sixteen, with a k that is no multiple of what is staged
  ["4 slices", 20, 36, 36, false, SPLIT],
  ["16 slices", 20, 12, 68, false, SPLIT],
  ["quads, a side of many", 96, 260, 36, false, candidates({ software: true, subgroups: true }).NN[0]],
  ["ragged sides", 35, 37, 11, false, every[0]!],
  ["ragged k", 8, 12, 7, false, every[0]!],
  ["aligned sides at odd places", 12, 8, 4, true, every[0]!],
];

test.each(products)("gemm in all modes with their epilogues, %s", async (name, m, n, k, odd, tile) => {
  const how = tuning(1, 4, tile);
  const small = SMALL.has(name);
  const seeded = new SeededArenas();
  const activation = (length: number) => seeded.slot("activations", length, { odd });
  const parameter = (length: number) => seeded.slot("parameters", length, { odd });
  const gradient = (length: number) => seeded.slot("gradients", length, { odd });
  const none = {
    op: "gemm",
    m,
    n,
    k,
    bias: null,
    residual: null,
    pre: null,
    biasGradient: null,
    activation: "none",
    accumulate: false,
  } as const;
  const pre = activation(m * n);
  const dense: Omit<Gemm, "stride">[] = [
    { ...none, mode: "NN", a: activation(m * k), b: parameter(k * n), out: activation(m * n) },
    {
      ...none,
      mode: "NN",
      a: activation(m * k),
      b: parameter(k * n),
      out: activation(m * n),
      bias: parameter(n),
      residual: activation(m * n),
      activation: "gelu",
      pre: activation(m * n),
    },
    { ...none, mode: "NT", a: activation(m * k), b: parameter(n * k), out: activation(m * n) },
    {
      ...none,
      mode: "NT",
      a: activation(m * k),
      b: parameter(n * k),
      out: pre,
      activation: "gelu-backward",
      pre,
    },
    {
      ...none,
      mode: "TN",
      a: activation(k * m),
      b: activation(k * n),
      out: gradient(m * n),
      biasGradient: gradient(n),
    },
    {
      ...none,
      mode: "TN",
      a: activation(k * m),
      b: activation(k * n),
      out: gradient(m * n),
      biasGradient: gradient(n),
      accumulate: true,
    },
  ];
  const ops = dense.map((op): Gemm => ({ ...op, stride: denseStride(op) }));
  // Larger tiles take SwiftShader some five seconds a product to compile. What has no epilogue differs at its end alone,
  // and is tested where operands are ragged.
  // Slices differ in what lies before the epilogue, and where the bias has its gradient.
  const sliced = name.endsWith("slices");
  const tested = sliced
    ? ops.slice(-1)
    : small
      ? ops
      : ops.filter((op) => op.bias ?? op.pre ?? (op.accumulate || null));
  const written = tested.flatMap(({ out, pre, biasGradient }) => [out, pre, biasGradient]);
  await expectSame(
    opened,
    seeded,
    tested,
    written.filter((slot) => slot !== null),
    how,
  );
});

test("a head whose vocabulary is no multiple of four, in rows with padding", async () => {
  const [rows, width, vocabulary, stride] = [21, 12, 39, 40];
  const seeded = new SeededArenas();
  const none = { bias: null, residual: null, pre: null, biasGradient: null, activation: "none" } as const;
  const head = { op: "gemm", stride, accumulate: false, ...none } as const;
  const n = seeded.slot("activations", rows * width);
  const logits = seeded.slot("activations", rows * stride);
  const dn = seeded.slot("activations", rows * width);
  const losses = seeded.slot("activations", rows);
  const table = seeded.slot("parameters", vocabulary * width);
  seeded.slot("parameters", 4 * width); // as the positions lie behind the table
  const dTable = seeded.slot("gradients", vocabulary * width);
  const behind = seeded.slot("gradients", 4 * width);
  const targets = seeded.slot("tokens", rows, { below: vocabulary });
  const ops: Op[] = [
    { ...head, mode: "NT", a: n, b: table, out: logits, m: rows, n: vocabulary, k: width },
    { op: "cross-entropy", logits, targets, losses, rows, before: 0, vocabulary, stride, gradient: true },
    { ...head, mode: "TN", a: logits, b: n, out: dTable, m: vocabulary, n: width, k: rows },
    { ...head, mode: "NN", a: logits, b: table, out: dn, m: rows, n: width, k: vocabulary },
  ];
  for (const op of ops) if (op.op === "gemm") expect(gemmUnit(op)).toBe(4);
  await expectSame(opened, seeded, ops, [logits, losses, dTable, behind, dn], PLAIN);
});

/** One of each kind: the others have the same code about rows and columns. */
const kinds = [...new Map(every.map((tile) => [tile.kind, tile])).values()];

test.each(kinds)(
  "a head with $kind tiles of $m×$n, whose table is cut where no more is bound",
  async (tile) => {
    const [rows, width, vocabulary, stride] = [21, 12, 199, 200];
    const seeded = new SeededArenas();
    const none = { bias: null, residual: null, pre: null, biasGradient: null, activation: "none" } as const;
    const head = { op: "gemm", stride, accumulate: false, beside: true, ...none } as const;
    const n = seeded.slot("activations", rows * width);
    const logits = seeded.slot("activations", rows * stride);
    const dlogits = seeded.slot("activations", rows * stride);
    for (let row = 1; row <= rows; row++) seeded.arenas.activations![dlogits.offset + row * stride - 1] = 0; // as the cross-entropy leaves it
    const dn = seeded.slot("activations", rows * width);
    const table = seeded.slot("parameters", vocabulary * width);
    seeded.slot("parameters", 4 * width); // as the positions lie behind the table
    const dTable = seeded.slot("gradients", vocabulary * width);
    const behind = seeded.slot("gradients", 4 * width);
    const ops: Op[] = [
      { ...head, mode: "NT", a: n, b: table, out: logits, m: rows, n: vocabulary, k: width, beside: false },
      { ...head, mode: "TN", a: dlogits, b: n, out: dTable, m: vocabulary, n: width, k: rows },
      { ...head, mode: "NN", a: dlogits, b: table, out: dn, m: rows, n: width, k: vocabulary },
    ];
    const from = [0, 64 * width, 128 * width];
    const length = (vocabulary + 4) * width;
    const weights = from.map((at, i) => ({ from: at, length: (from[i + 1] ?? length) - at }));
    const cut = inParts(ops, { ...inOnePart(length), weights });
    expect(cut).toHaveLength(9);
    const asOne = (slot: Slot): Slot =>
      slot.part === undefined ? slot : { ...slot, part: 0, offset: from[slot.part]! + slot.offset };
    const pieces = cut.map((op) => {
      const { a, b, out } = op as Gemm;
      return { ...op, a: asOne(a), b: asOne(b), out: asOne(out) } as Gemm;
    });
    for (const piece of pieces) expect(gemmUnit(piece)).toBe(4);
    const how: Tuning = { ...PLAIN, tiles: { NN: tile, NT: tile, TN: tile } };
    const wanted = Array.from({ length: rows }, (_, row) => ({
      ...logits,
      offset: logits.offset + row * stride,
      length: vocabulary, // behind it is padding
    }));
    await expectSame(
      opened,
      seeded,
      ops,
      [...wanted, dTable, behind, dn],
      how,
      1e6,
      SLOWEST.software,
      pieces,
    );
  },
);

test("logits of some rows at a time lead to the gradient of all of them at once", async () => {
  const shape = { layers: 1, heads: 1, width: 16, context: 50, vocabulary: 39 };
  const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 };
  const random = new Random(3);
  const { length } = layoutOf(shape);
  const parameters = Array.from({ length }, () => Math.fround(random.unit() - 0.5));
  const text = Uint16Array.from({ length: 2 * 51 }, () => random.below(39));
  const gradientOf = async (logits: number) => {
    const { first, arenas, tokens, losses } = trainingSchedule(shape, 2, optimizer, { ...NEEDS, logits });
    const words = new Uint32Array(arenas.tokens);
    writeBatch(words, tokens, text, 0, shape.context, true);
    const zeros = (values: number) => Array<number>(values).fill(0);
    const left = await opened.page.evaluate(
      (job) => globalThis.engine.runOps(job.ops, job.arenas, job.how, job.dynamics, job.rows),
      {
        ops: first,
        arenas: {
          parameters,
          gradients: zeros(length),
          activations: zeros(arenas.activations),
          tokens: [...words],
        },
        how: PLAIN,
        rows: 75, // a short batch: half of its second sequence is padding
        dynamics: { lossScale: 0.01, rate: 0, correction1: 1, correction2: 1 },
      },
    );
    const heads = first.filter(({ op }) => op === "cross-entropy").length;
    const from = losses.offset;
    return { heads, gradients: left.gradients!, losses: left.activations!.slice(from, from + losses.length) };
  };
  const [whole, some] = [await gradientOf(1e6), await gradientOf(64 * 40)];
  expect([whole.heads, some.heads]).toEqual([1, 2]);
  expect(some.losses).toEqual(whole.losses);
  expect(whole.losses.filter((loss) => loss > 0)).toHaveLength(75);
  expect(relative(some.gradients, whole.gradients)).toBeLessThan(1e-6);
});
