import { expect } from "vitest";
import type { Op, Slot } from "../model/engine/ops.ts";
import { slotsOf } from "../model/engine/plan.ts";

/** Pairs of places, of two ops, that share memory and are not the same place. */
export function meetings(one: Op, two: Op) {
  const activations = (op: Op) => slotsOf(op).filter(({ arena }) => arena === "activations");
  return activations(one).flatMap((a) =>
    activations(two)
      .filter((b) => a !== b && a.offset < b.offset + b.length && b.offset < a.offset + a.length)
      .map((b) => [a, b]),
  );
}

/** Replays the list over symbolic memory: whatever an op names must still be where it was first written. */
export function expectNoLiveOverlap(
  ops: readonly Op[],
  pinned: readonly { offset: number; length: number }[],
) {
  const owner = new Map<number, object>();
  const seen = new Set<object>();
  for (const op of ops) {
    for (const named of slotsOf(op)) {
      const slot = named.within?.slot ?? named;
      if (slot.arena !== "activations") continue;
      if (seen.has(slot)) expectWhole(owner, slot);
      else {
        seen.add(slot);
        for (let i = slot.offset; i < slot.offset + slot.length; i++) owner.set(i, slot);
      }
    }
  }
  for (const slot of pinned) expectWhole(owner, slot);
}

function expectWhole(owner: ReadonlyMap<number, object>, slot: Pick<Slot, "offset" | "length">) {
  const places = Array.from({ length: slot.length }, (_, i) => slot.offset + i);
  expect(places.filter((place) => owner.get(place) !== slot)).toEqual([]);
}
