import type { Convert, Op, Slot } from "./ops.ts";
import { type Recompute, selective, withSlots } from "./recompute.ts";

/** Values that share a scale. */
export const CHUNK = 512;
/** Words of a chunk: two values each, and four for the scale, since words are read four at a time. */
export const CHUNK_WORDS = CHUNK / 2 + 4;

/** Words of this many values in f16. */
export const halvesLength = (values: number): number => Math.ceil(values / CHUNK) * CHUNK_WORDS;

/**
 * Keeps what {@link selective} keeps in f16: 5.1 values a row and column of width instead of 10, for five conversions a layer and as many
 * back. All arithmetic stays in f32, and so does the forward pass, whose loss keeps its bits. Gradients lose some of theirs.
 *
 * What attention keeps stays whole: it is small, and an error in an exponent is one in every probability.
 */
export const halved: Recompute = (ops) => {
  const turn = ops.findLastIndex(({ op }) => op === "layernorm"); // the final norm, where the forward pass of blocks ends
  const list = selective(ops); // the same up to there
  const later = new Set(list.slice(turn + 1).flatMap(slotsOf));
  const atTurn = new Set(slotsOf(list[turn]!));
  const large = new Set(list.slice(0, turn).flatMap(streamsOf));
  const kept = [...large].filter((slot) => later.has(slot) && !atTurn.has(slot));
  const packed = new Map(kept.map((slot) => [slot, packOf(slot)]));
  const lastReads = new Map<number, Slot[]>();
  for (const slot of kept) {
    const last = list.slice(0, turn).findLastIndex((op) => slotsOf(op).includes(slot));
    lastReads.set(last, [...(lastReads.get(last) ?? []), slot]);
  }
  const out = list.slice(0, turn).flatMap((op, i): Op[] => {
    return [op, ...(lastReads.get(i) ?? []).map((slot) => packed.get(slot)!)];
  });
  const whole = new Map<Slot, Slot>();
  const unpack = (op: Op): void => {
    for (const slot of slotsOf(op)) {
      const pack = packed.get(slot);
      if (!pack || whole.has(slot)) continue;
      const values = { ...slot };
      whole.set(slot, values);
      out.push({ op: "unpack", values, halves: pack.halves });
    }
  };
  for (const [i, op] of list.slice(turn).entries()) {
    unpack(op);
    const next = list[turn + i + 1];
    if (op.op === "gemm" && op.beside && next) unpack(next); // nothing may come between two products beside each other
    out.push(withSlots(op, (slot) => whole.get(slot) ?? slot));
  }
  return out;
};

const packOf = (values: Slot): Convert => ({
  op: "pack",
  values,
  halves: { arena: "activations", offset: -1, length: halvesLength(values.length) },
});

/** The slots an op names. */
function slotsOf(op: Op): Slot[] {
  const slots: Slot[] = [];
  withSlots(op, (slot) => {
    slots.push(slot);
    return slot;
  });
  return slots;
}

/** What an op of a block writes that is as wide as the block, or wider. */
function streamsOf(op: Op): Slot[] {
  switch (op.op) {
    case "embed":
    case "attention":
      return [op.out];
    case "gemm":
      return op.pre ? [op.out, op.pre] : [op.out];
    default:
      return [];
  }
}
