import { describe, expect, test } from "vitest";
import { halvesLength } from "../../model/engine/halves.ts";
import type { Attention, CrossEntropy, Gemm, Op, Slot } from "../../model/engine/ops.ts";
import type { Heads } from "../../model/engine/webgpu/kernels/attention.ts";
import { NEEDS, type Tuning } from "../../model/engine/webgpu/lower.ts";
import { candidates } from "../../model/engine/webgpu/tuning.ts";
import { modulePage } from "./module-page.ts";
import { expectSame, PLAIN, tuning, WIDE } from "./ops-on-device.ts";
import { SeededArenas } from "./seeded-arenas.ts";

const opened = modulePage("engine-page.ts");

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
    await expectSame(opened, seeded, ops, [out, shared.stats, ...written], how);
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
    await expectSame(opened, seeded, ops, [op.losses, ...ops.map(({ logits }) => logits)], how);
    const got = await expectSame(opened, seeded, ops.slice(0, 1), [], how, rows - 3);
    const losses = got.activations!.slice(op.losses.offset, op.losses.offset + rows);
    expect(losses.map((loss) => loss !== 0)).toEqual(losses.map((_, row) => row < rows - 3));
    const later = await expectSame(opened, seeded, [{ ...ops[0]!, before: 10 }], [], how, rows - 3);
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
  await expectSame(opened, seeded, [op], [op.out], PLAIN);
});

/** Runs `first`, packs `values` of the activations, and unpacks them again. */
async function thereAndBack(seeded: SeededArenas, values: Slot, first: Op[] = []): Promise<number[]> {
  const halves = seeded.slot("activations", halvesLength(values.length));
  const back = seeded.slot("activations", values.length);
  const after = seeded.slot("activations", 8); // to see that nothing beyond is written
  const ops: Op[] = [...first, { op: "pack", values, halves }, { op: "unpack", values: back, halves }];
  const got = (await expectSame(opened, seeded, [], [after], PLAIN, 1e6, undefined, ops)).activations!;
  return got.slice(back.offset, back.offset + back.length);
}

test.each([
  [3 * 512, 1],
  [1_302, 1],
  [77, 1e-30],
  [640, 1e30],
])("f16 keeps %i values of about %d to eleven bits", async (length, size) => {
  const seeded = new SeededArenas();
  const values = seeded.slot("activations", length);
  const given = seeded.arenas.activations!.slice(0, length).map((value) => Math.fround(value * size));
  given[5] = Math.fround(3e4 * given[6]!); // one that is far larger than all others
  seeded.set(values, given);
  const got = await thereAndBack(seeded, values);
  const worst = Math.max(...got.map((value, i) => Math.abs(value / given[i]! - 1)));
  expect(worst).toBeGreaterThan(2 ** -13);
  expect(worst).toBeLessThanOrEqual(2 ** -10); // a GPU may round either way
});

test("what is not finite is not finite when it comes back from f16, and nothing else is", async () => {
  const seeded = new SeededArenas();
  const tokens = seeded.set(seeded.slot("tokens", 2), [0, 1]);
  const zeros = Array<number>(512).fill(0);
  const far = zeros.with(9, 3e38);
  const table = seeded.set(seeded.slot("parameters", 1_024), [...far, ...zeros]);
  const positions = seeded.set(seeded.slot("parameters", 1_024), [...far, ...zeros.fill(1)]);
  const out = seeded.slot("activations", 1_024);
  const embed: Op = { op: "embed", tokens, table, positions, out, rows: 2, context: 2, width: 512 };
  const got = await thereAndBack(seeded, out, [embed]); // 3e38 + 3e38
  expect(got.slice(0, 512).some((value) => Number.isFinite(value))).toBe(false);
  expect(got.slice(512)).toEqual(zeros);
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
  await expectSame(opened, seeded, [embed, ...ops], [out, ...written], PLAIN);
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
    await expectSame(opened, seeded, [forward, backward], [shared.out, dQkv], how);
    await expectSame(opened, seeded, [{ ...forward, saved: null }], [shared.out], how);
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
      opened,
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
  await expectSame(opened, seeded, [op], [out!], PLAIN);
});
