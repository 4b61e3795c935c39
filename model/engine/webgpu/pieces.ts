import { ModelError } from "../../contract/config.ts";
import type {
  AdamWStep,
  Arena,
  Delta,
  Embed,
  EmbedBackward,
  Gemm,
  MuonStep,
  Norm,
  Op,
  Slot,
} from "../ops.ts";
import { slotsOf } from "../plan.ts";
import type { DeviceOp, NormOfParts } from "./kernels/device-op.ts";
import { withKernel } from "./kernels/embedding-pieces.ts";
import type { Product } from "./kernels/product.ts";
import type { Part, Vectors } from "./vectors.ts";

/** The ops in pieces, each of which names one part of an arena: a {@link Cut}. */
export const inParts = (ops: readonly Op[], vectors: Vectors): readonly DeviceOp[] =>
  vectors.weights.length === 1 ? ops : ops.flatMap((op) => piecesOf(op, vectors));

function piecesOf(op: Op, vectors: Vectors): DeviceOp[] {
  switch (op.op) {
    case "embed":
      return embed(op, vectors);
    case "embed-backward":
      return embedBackward(op, vectors);
    case "gemm":
      return gemm(op, vectors);
    case "norm":
      return norm(op, vectors);
    case "adamw":
      return adamW(op, vectors);
    case "muon":
      return muon(op, vectors);
    case "delta":
      return delta(op, vectors);
    default:
      return [placed(op, vectors)];
  }
}

const VECTORS: ReadonlySet<Arena> = new Set(["parameters", "gradients", "m", "loaded"]);

/** The slots that a slot is in the parts: one of each part that it touches, and how many of its values come before. */
function runs(slot: Slot, { weights }: Vectors): { readonly slot: Slot; readonly before: number }[] {
  return weights.flatMap((part, i) => {
    const from = Math.max(slot.offset, part.from);
    const length = Math.min(slot.offset + slot.length, part.from + part.length) - from;
    if (length <= 0) return [];
    return [
      { slot: { arena: slot.arena, part: i, offset: from - part.from, length }, before: from - slot.offset },
    ];
  });
}

/** The slot in the part that it lies in. */
function place(slot: Slot, vectors: Vectors): Slot {
  if (!VECTORS.has(slot.arena)) return slot;
  const [only, ...more] = runs(slot, vectors);
  if (!only || more.length > 0) throw new ModelError("bad-shape", "an operand in several buffers");
  return only.slot;
}

/** The op with each of its slots in the part that it lies in. */
function placed<T extends Op>(op: T, vectors: Vectors): T {
  const slots = new Set<unknown>(slotsOf(op));
  const fields = Object.entries(op).map(([name, field]) => [
    name,
    slots.has(field) ? place(field as Slot, vectors) : field,
  ]);
  return Object.fromEntries(fields) as T;
}

function embed({ op: _, positions, ...op }: Embed, vectors: Vectors): DeviceOp[] {
  const { out, rows, context, width } = op;
  const table = runs(op.table, vectors).map(({ slot, before }) => {
    const [begin, count] = [before / width, slot.length / width];
    return withKernel({ ...op, op: "embed-rows", table: slot, begin, count });
  });
  const behind = { positions: place(positions, vectors), out, rows, context, width };
  return [...table, withKernel({ op: "embed-positions", ...behind })];
}

function embedBackward(op: EmbedBackward, vectors: Vectors): DeviceOp[] {
  const { dOut, order, width, rows, context, accumulate } = op;
  const table = runs(op.dTable, vectors).map(({ slot, before }) => {
    const [begin, count] = [before / width, slot.length / width];
    const starts = { ...op.starts, offset: op.starts.offset + begin, length: count + 1 };
    return withKernel({ op: "embed-rows-backward", dOut, starts, order, dTable: slot, width });
  });
  const behind = { dOut, dPositions: place(op.dPositions, vectors), rows, context, width, accumulate };
  return [...table, withKernel({ op: "embed-positions-backward", ...behind })];
}

/**
 * A product of the head is one with each run of the table's rows, which are columns of logits (NT), rows of the table's
 * gradient (TN), or places of k (NN), whose sums are added up in the order of the parts.
 */
function gemm(op: Gemm, vectors: Vectors): DeviceOp[] {
  const table = op.mode === "TN" ? op.out : op.b;
  if (!VECTORS.has(table.arena)) return [placed(op, vectors)];
  const all = runs(table, vectors);
  if (all.length === 1) return [placed(op, vectors)];
  const width = op.mode === "NT" ? op.k : op.n;
  const shifted = (slot: Slot, by: number): Slot => ({
    ...slot,
    offset: slot.offset + by,
    length: slot.length - by,
  });
  return all.map(({ slot, before }, i): Product => {
    const begin = before / width;
    const count = slot.length / width;
    const padded = i === all.length - 1 ? op.stride - begin : count; // the padding of logits comes behind the last
    const piece = { ...op, beside: false };
    const a = shifted(op.a, begin);
    if (op.mode === "TN") return { ...piece, a, out: slot, m: op.stride, rows: count };
    const columns = { b: slot, stride: padded, lead: op.stride };
    return op.mode === "NT"
      ? { ...piece, ...columns, out: shifted(op.out, begin), n: padded }
      : { ...piece, ...columns, a, k: padded, accumulate: i > 0 };
  });
}

const norm = ({ gradients, partials }: Norm, vectors: Vectors): NormOfParts[] => [
  { op: "norm-of-parts", gradients: runs(gradients, vectors).map(({ slot }) => slot), partials },
];

const slotOf = (arena: Arena, part: number, { length }: Part): Slot => ({ arena, part, offset: 0, length });

/** The vectors of an update, in part i. */
const vectorsIn = (i: number, part: Part) => ({
  parameters: slotOf("parameters", i, part),
  gradients: slotOf("gradients", i, part),
  m: slotOf("m", i, part),
});

const adamW = (op: AdamWStep, { weights, squares, segments }: Vectors): AdamWStep[] =>
  weights.flatMap((part, i) =>
    squares[i]!.length === 0
      ? []
      : [{ ...op, ...vectorsIn(i, part), v: slotOf("v", i, squares[i]!), segments: segments[i]! }],
  );

const muon = (op: MuonStep, { weights }: Vectors): MuonStep[] =>
  weights.flatMap((part, i) => {
    const inside = ({ offset }: { readonly offset: number }) =>
      offset >= part.from && offset < part.from + part.length;
    const matrices = op.matrices
      .filter(inside)
      .map((matrix) => ({ ...matrix, offset: matrix.offset - part.from }));
    return matrices.length === 0 ? [] : [{ ...op, ...vectorsIn(i, part), matrices }];
  });

const delta = (op: Delta, { weights }: Vectors): Delta[] =>
  weights.map((part, i) => ({
    ...op,
    loaded: slotOf("loaded", i, part),
    parameters: slotOf("parameters", i, part),
    out: slotOf("gradients", i, part),
  }));
