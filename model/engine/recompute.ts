import type { Gemm, LayerNorm, Op, Slot } from "./ops.ts";

/** The forward and backward pass with fewer activations kept from the one to the other. */
export type Recompute = (ops: readonly Op[]) => readonly Op[];

/*
 * Those that are let go of are computed again before they are read, by the same ops from the same values, so every bit stays the
 * same.
 */

/** Keeps all but what layer norms and GELU leave: 10 of 16 values a row and column of width, for three small ops a layer. */
export const selective: Recompute = (ops) =>
  recomputed(ops, (maker, slot) => !(maker.op === "layernorm" || (isGelu(maker) && slot === maker.out)));

/** Keeps what enters each block, 1 of 16, and computes its forward pass again except the last product: six ops a layer. */
export const byBlock: Recompute = (ops) => {
  const norms = ops.filter((op): op is LayerNorm => op.op === "layernorm");
  const streams = new Set(norms.filter((_, i) => i % 2 === 0).map(({ x }) => x)); // of a block's two the first, and the final one
  return recomputed(ops, (_, slot) => streams.has(slot));
};

/** `isKept` is asked about every slot that the blocks' forward pass writes, and about the op that writes it. */
function recomputed(ops: readonly Op[], isKept: (maker: Op, slot: Slot) => boolean): Op[] {
  const turn = ops.findLastIndex(({ op }) => op === "layernorm"); // the final norm
  const makers = new Map<Slot, Op>();
  const out = ops.slice(0, turn);
  for (const op of out) for (const slot of writtenBy(op)) if (!isKept(op, slot)) makers.set(slot, op);
  /** By the slots of the forward pass those that hold the same again. */
  const again = new Map<Slot, Slot>();
  const now = (slot: Slot): Slot => {
    const maker = makers.get(slot);
    if (maker !== undefined && !again.has(slot)) run(maker);
    return again.get(slot) ?? slot;
  };
  const run = (maker: Op): void => {
    const fresh = writtenBy(maker).map((slot) => [slot, { ...slot }] as const);
    if (isGelu(maker) && maker.pre !== null && !makers.has(maker.pre)) {
      const copy = { ...maker.out };
      again.set(maker.out, copy);
      out.push({ op: "gelu", pre: maker.pre, out: copy });
      return;
    }
    const copies = new Map(fresh);
    const op = withSlots(maker, (slot) => copies.get(slot) ?? now(slot)); // what it reads comes first
    for (const [slot, copy] of fresh) again.set(slot, copy);
    out.push(op);
  };
  for (const [i, op] of ops.slice(turn).entries()) {
    const next = op.op === "gemm" && op.beside ? ops[turn + i + 1] : undefined;
    if (next) withSlots(next, now); // nothing may come between two products beside each other
    out.push(withSlots(op, now));
  }
  return out;
}

/** What an op of the forward pass writes. */
function writtenBy(op: Op): Slot[] {
  switch (op.op) {
    case "embed":
      return [op.out];
    case "layernorm":
      return [op.out, op.stats];
    case "attention":
      return op.saved ? [op.out, op.saved] : [op.out];
    case "gemm":
      return op.pre ? [op.out, op.pre] : [op.out];
    default:
      return [];
  }
}

const isGelu = (op: Op): op is Gemm => op.op === "gemm" && op.activation === "gelu";

/** The op with each of its slots replaced. */
export function withSlots(op: Op, by: (slot: Slot) => Slot): Op {
  const fields = Object.entries(op).map(([name, field]) => [name, isSlot(field) ? by(field) : field]);
  return Object.fromEntries(fields) as Op; // the same fields
}

const isSlot = (field: unknown): field is Slot =>
  typeof field === "object" && field !== null && "arena" in field;
