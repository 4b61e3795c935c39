import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layoutOf } from "../../model/contract/layout.ts";
import type { Attention, CrossEntropy, Gemm, Op, Slot } from "../../model/engine/ops.ts";
import { denseStride } from "../../model/engine/products.ts";
import { trainingSchedule } from "../../model/engine/schedule.ts";
import { writeBatch } from "../../model/engine/tokens.ts";
import type { Heads } from "../../model/engine/webgpu/kernels/attention.ts";
import { gemmUnit } from "../../model/engine/webgpu/kernels/gemm.ts";
import { nameOf, type Tile } from "../../model/engine/webgpu/kernels/tile.ts";
import { NEEDS, type Tuning } from "../../model/engine/webgpu/lower.ts";
import { type Rates, SLOWEST } from "../../model/engine/webgpu/pace.ts";
import { inParts } from "../../model/engine/webgpu/pieces.ts";
import { candidates } from "../../model/engine/webgpu/tuning.ts";
import { inOnePart } from "../../model/engine/webgpu/vectors.ts";
import { Random } from "../../model/lib/random.ts";
import { type Arenas, applyOp, relative } from "../ops-reference.ts";
import { type ModulePage, openModulePage } from "./module-page.ts";
import { SeededArenas } from "./seeded-arenas.ts";

let opened: ModulePage;
let page: Page;

beforeAll(async () => {
  opened = await openModulePage("engine-page.ts");
  page = opened.page;
});

afterAll(() => opened.close());

const PLAIN: Tuning = tuning(1, 4, { kind: "register", m: 4, n: 4, depth: 8, down: 4, across: 4 });
const WIDE: Tuning = tuning(64, 1, { kind: "shared", m: 4, n: 4, depth: 16, down: 8, across: 8 });

function tuning(lanes: 1 | 64, each: 1 | 2 | 4, tile: Tile, quads = false): Tuning {
  return { rows: { lanes }, heads: { each, quads }, tiles: { NN: tile, NT: tile, TN: tile } };
}

/** Runs ops on the device and in doubles; each named slot must come out the same. */
async function expectSame(
  seeded: SeededArenas,
  ops: Op[],
  slots: Slot[],
  how: Tuning,
  rows = 1e6,
  rates: Rates = SLOWEST.software,
  /** What the device gets, if not the same. */
  run: readonly Op[] = ops,
) {
  const scale = 0.25;
  const { arenas } = seeded;
  const got = await page.evaluate(
    (job) => globalThis.engine.runOps(job.ops, job.arenas, job.how, job.dynamics, job.rows, job.rates),
    {
      ops: run,
      arenas,
      how,
      rows,
      rates,
      dynamics: { lossScale: scale, rate: 0, correction1: 1, correction2: 1 },
    },
  );
  const exact = Object.fromEntries(
    Object.entries(arenas).map(([name, values]) => [name, Float64Array.from(values)]),
  ) as Arenas;
  for (const op of ops) applyOp(op, exact, scale);
  for (const { arena, offset, length } of slots)
    expect(relative(got[arena]!, exact[arena], offset, length)).toBeLessThan(1e-5);
  return got;
}

describe.each([
  ["one invocation a row", PLAIN],
  ["a row shared", WIDE],
])("row-wise ops, %s", (_, how) => {
  test.each([
    [5, 8],
    [70, 12],
    [67, 33],
  ])("layer norm and its backward on %i × %i", async (rows, width) => {
    const seeded = new SeededArenas();
    const shared = {
      x: seeded.slot("activations", rows * width),
      weight: seeded.slot("parameters", width),
      stats: seeded.slot("activations", rows * 2),
      rows,
      width,
    };
    const bias = seeded.slot("parameters", width);
    const out = seeded.slot("activations", rows * width);
    const dOut = seeded.slot("activations", rows * width);
    const back = (residual: boolean, accumulate: boolean) => ({
      dx: seeded.slot("activations", rows * width),
      dWeight: seeded.slot("gradients", width),
      dBias: seeded.slot("gradients", width),
      residual,
      accumulate,
    });
    const [overwriting, adding] = [back(false, false), back(true, true)];
    const ops: Op[] = [
      { op: "layernorm", bias, out, ...shared },
      { op: "layernorm-backward", dOut, ...shared, ...overwriting },
      { op: "layernorm-backward", dOut, ...shared, ...adding },
    ];
    const written = [overwriting, adding].flatMap(({ dx, dWeight, dBias }) => [dx, dWeight, dBias]);
    await expectSame(seeded, ops, [out, shared.stats, ...written], how);
  });

  test("cross-entropy, its gradient, and rows of padding", async () => {
    const [rows, vocabulary] = [70, 39];
    const strides = { false: 39, true: 42 };
    const seeded = new SeededArenas();
    const op = {
      op: "cross-entropy",
      targets: seeded.slot("tokens", rows, { below: vocabulary }),
      losses: seeded.slot("activations", rows),
      rows,
      before: 0,
      vocabulary,
    } as const;
    const far = Array.from({ length: rows * strides.true }, (_, i) => ((i * 37) % 101) * 3 - 150);
    const ops = [false, true].map((gradient): CrossEntropy => {
      const stride = strides[`${gradient}`];
      const logits = seeded.slot("activations", rows * stride);
      return { ...op, logits: seeded.set(logits, far.slice(0, logits.length)), stride, gradient };
    });
    await expectSame(seeded, ops, [op.losses, ...ops.map(({ logits }) => logits)], how);
    const got = await expectSame(seeded, ops.slice(0, 1), [], how, rows - 3);
    const losses = got.activations!.slice(op.losses.offset, op.losses.offset + rows);
    expect(losses.map((loss) => loss !== 0)).toEqual(losses.map((_, row) => row < rows - 3));
    const later = await expectSame(seeded, [{ ...ops[0]!, before: 10 }], [], how, rows - 3);
    expect(later.activations!.slice(op.losses.offset, op.losses.offset + rows).indexOf(0)).toBe(rows - 13);
  });
});

test.each([64 * 64, 77])("GELU of %i values by itself", async (length) => {
  const seeded = new SeededArenas();
  const op: Op = {
    op: "gelu",
    pre: seeded.slot("activations", length),
    out: seeded.slot("activations", length),
  };
  await expectSame(seeded, [op], [op.out], PLAIN);
});

test.each([
  [2, 5, 12],
  [3, 7, 9],
])("embedding and its backward, %i sequences of %i, %i wide", async (batch, context, width) => {
  const rows = batch * context;
  const vocabulary = 6;
  const seeded = new SeededArenas();
  const tokens = seeded.slot("tokens", rows, { below: vocabulary });
  const held = seeded.arenas.tokens!.slice(tokens.offset, tokens.offset + rows);
  const sorted = [...held.keys()].sort((a, b) => held[a]! - held[b]! || a - b);
  const firsts = Array.from({ length: vocabulary + 1 }, (_, v) => held.filter((t) => t < v).length);
  const out = seeded.slot("activations", rows * width);
  const embed: Op = {
    op: "embed",
    tokens,
    table: seeded.slot("parameters", vocabulary * width),
    positions: seeded.slot("parameters", context * width),
    out,
    rows,
    context,
    width,
  };
  const back = (accumulate: boolean) => ({
    op: "embed-backward" as const,
    dOut: seeded.slot("activations", rows * width),
    starts: seeded.set(seeded.slot("tokens", vocabulary + 1), firsts),
    order: seeded.set(seeded.slot("tokens", rows), sorted),
    dTable: seeded.slot("gradients", vocabulary * width),
    dPositions: seeded.slot("gradients", context * width),
    rows,
    context,
    width,
    vocabulary,
    accumulate,
  });
  const ops = [back(false), back(true)];
  const written = ops.flatMap(({ dTable, dPositions }) => [dTable, dPositions]);
  await expectSame(seeded, [embed, ...ops], [out, ...written], PLAIN);
});

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
  await expectSame(seeded, ops, [logits, losses, dTable, behind, dn], PLAIN);
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
    await expectSame(seeded, ops, [...wanted, dTable, behind, dn], how, 1e6, SLOWEST.software, pieces);
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
    const left = await page.evaluate(
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

type Sides = [batch: number, context: number, heads: number, size: number];
const FEW: Sides[] = [
  [2, 6, 3, 8],
  [1, 7, 2, 4],
  [1, 21, 2, 8],
  [2, 5, 1, 3],
];
/**
 * Heads that come out even in four lanes, and that do not; contexts with and without a block that is not full. Each takes
 * SwiftShader five seconds to compile where lanes meet in workgroup memory: there are fewer of those.
 */
const BY_WORKGROUP: Sides[] = [
  [2, 21, 2, 16],
  [1, 19, 2, 40],
];
const BY_QUAD: Sides[] = [...BY_WORKGROUP, [1, 32, 1, 24], [1, 5, 1, 64]];

describe.each<[string, Heads, Sides[]]>([
  ["1 position an invocation", { each: 1, quads: false }, FEW],
  ["2 positions an invocation", { each: 2, quads: false }, FEW],
  ["4 positions an invocation", { each: 4, quads: false }, FEW],
  ["quads, 1 position each", { each: 1, quads: true }, FEW],
  ["quads, 2 positions each", { each: 2, quads: true }, FEW],
  ["4 lanes a position, by quad swaps", { each: 1, quads: false, shared: "quad" }, BY_QUAD],
  ["4 lanes a position, in workgroup memory", { each: 1, quads: false, shared: "workgroup" }, BY_WORKGROUP],
])("attention, %s", (_, heads, cases) => {
  const how: Tuning = { ...PLAIN, heads };
  test.each(cases)("%i sequences of %i, %i heads of %i", async (batch, context, heads, size) => {
    const rows = batch * context;
    const width = heads * size;
    const seeded = new SeededArenas();
    const shared = {
      qkv: seeded.slot("activations", rows * 3 * width),
      out: seeded.slot("activations", rows * width),
      saved: seeded.slot("activations", NEEDS.attention(batch, context, heads, size)),
      batch,
      context,
      heads,
      size,
    };
    const dQkv = seeded.slot("activations", rows * 3 * width);
    const forward: Attention = { op: "attention", ...shared };
    const backward: Op = {
      op: "attention-backward",
      dOut: seeded.slot("activations", rows * width),
      dQkv,
      ...shared,
    };
    await expectSame(seeded, [forward, backward], [shared.out, dQkv], how);
    await expectSame(seeded, [{ ...forward, saved: null }], [shared.out], how);
  });
});

test("ops that are split into dispatches of one workgroup come out the same", async () => {
  const [batch, context, heads, size] = [2, 37, 2, 8];
  const [rows, width] = [batch * context, heads * size];
  const seeded = new SeededArenas();
  const activation = (length: number) => seeded.slot("activations", length);
  const shared = {
    qkv: activation(rows * 3 * width),
    out: activation(rows * width),
    saved: activation(NEEDS.attention(batch, context, heads, size)),
    ...{ batch, context, heads, size },
  };
  const dQkv = activation(rows * 3 * width);
  const weights = { out: seeded.slot("gradients", width * 40), biasGradient: seeded.slot("gradients", 40) };
  const product: Gemm = {
    op: "gemm",
    mode: "TN",
    ...{ m: width, n: 40, k: rows, stride: width },
    a: activation(rows * width),
    b: activation(rows * 40),
    ...weights,
    ...{ bias: null, residual: null, pre: null, activation: "none", accumulate: true },
  };
  const loss: CrossEntropy = {
    op: "cross-entropy",
    logits: activation(rows * 40),
    targets: seeded.slot("tokens", rows, { below: 40 }),
    losses: activation(rows),
    ...{ rows, before: 0, vocabulary: 40, stride: 40, gradient: true },
  };
  const ops: Op[] = [
    { op: "attention", ...shared },
    { op: "attention-backward", dOut: activation(rows * width), dQkv, ...shared },
    product,
    loss,
  ];
  const [small] = candidates({ software: true, subgroups: false }).NN.slice(-1);
  const slowest = { flops: 1, bytes: 1, dispatch: 0 }; // everything takes longer than it may
  for (const how of [tuning(1, 1, small!), { ...WIDE, heads: { each: 1, quads: true } } as const])
    await expectSame(
      seeded,
      ops,
      [shared.out, dQkv, weights.out, weights.biasGradient, loss.logits, loss.losses],
      how,
      1e6,
      slowest,
    );
});

test("delta is what was loaded minus what was trained", async () => {
  const seeded = new SeededArenas();
  const [loaded, parameters, out] = (["loaded", "parameters", "gradients"] as const).map((arena) =>
    seeded.slot(arena, 77),
  );
  const op: Op = { op: "delta", loaded: loaded!, parameters: parameters!, out: out! };
  await expectSame(seeded, [op], [out!], PLAIN);
});
