import type { DeviceNeeds } from "./device-needs.ts";
import type { Op, Slot } from "./ops.ts";

/** Values of which a slot's offset is a multiple: 256 bytes, the strictest alignment that a WebGPU binding needs. */
const ALIGNMENT = 64;

/** Lengths of the memories that depend on the batch, in values of 4 bytes. */
export interface Arenas {
  readonly activations: number;
  readonly tokens: number;
  readonly scratch: number;
}

/** Places the activations of a whole schedule and measures its arenas, see {@link planActivations}. */
export function planArenas(ops: readonly Op[], pinned: readonly Slot[], needs: DeviceNeeds): Arenas {
  const slots = ops.flatMap(slotsOf).filter((slot) => slot.arena === "tokens");
  return {
    activations: planActivations(ops, pinned),
    tokens: Math.max(...slots.map((slot) => slot.offset + slot.length)),
    scratch: Math.max(...ops.map((op) => needs.scratch(op))),
  };
}

interface Life {
  readonly slot: Slot;
  readonly first: number;
  last: number;
}

/**
 * Gives every activation slot its place, before the first step. Two slots share memory only when no op needs
 * one while the other is alive, alive being from the first to the last op that names it. Largest first, each
 * at the lowest place free during its whole life (greedy by size, Pisarchyk & Lee 2020, arXiv 2001.03288).
 *
 * `pinned` slots live through the whole list. Returns the values that the arena needs.
 */
export function planActivations(ops: readonly Op[], pinned: readonly Slot[]): number {
  const lives = livesOf(ops, pinned);
  const placed: Life[] = [];
  let size = 0;
  for (const life of lives.sort((a, b) => b.slot.length - a.slot.length || a.first - b.first)) {
    const neighbours = placed
      .filter((other) => other.first <= life.last && life.first <= other.last)
      .sort((a, b) => a.slot.offset - b.slot.offset);
    let offset = 0;
    for (const { slot } of neighbours) {
      if (offset + life.slot.length <= slot.offset) break;
      offset = Math.max(offset, aligned(slot.offset + slot.length));
    }
    life.slot.offset = offset;
    size = Math.max(size, aligned(offset + life.slot.length));
    placed.push(life);
  }
  for (const slot of ops.flatMap(slotsOf))
    if (slot.within) slot.offset = slot.within.slot.offset + slot.within.from;
  return size;
}

/** The slots an op names. */
export function slotsOf(op: object): Slot[] {
  return Object.values(op).filter(
    (field): field is Slot => typeof field === "object" && field !== null && "arena" in field,
  );
}

function livesOf(ops: readonly Op[], pinned: readonly Slot[]): Life[] {
  const lives = new Map<Slot, Life>();
  for (const slot of pinned) lives.set(slot, { slot, first: 0, last: ops.length - 1 });
  let index = 0;
  for (const op of ops) {
    for (const named of slotsOf(op)) {
      const slot = named.within?.slot ?? named;
      if (slot.arena !== "activations" || pinned.includes(slot)) continue;
      const life = lives.get(slot);
      if (life) life.last = index;
      else lives.set(slot, { slot, first: index, last: index });
    }
    if (!(op.op === "gemm" && op.beside)) index++; // what is done at the same time lives at the same time
  }
  return [...lives.values()];
}

const aligned = (values: number): number => Math.ceil(values / ALIGNMENT) * ALIGNMENT;
