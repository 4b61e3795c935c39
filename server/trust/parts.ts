import type { Part } from "./places.ts";

/** Parts at most: what is kept of each volunteer is bounded by it. */
const MAX_PARTS = 32;

/**
 * A model's tensors as parts of the flat vector whose effects are looked at apart: each alone, and in a large model some
 * neighbours together. One part where nothing is known of tensors.
 */
export function partsOf(tensors: readonly Part[], parameters: number): readonly Part[] {
  if (tensors.length === 0) return [{ offset: 0, length: parameters }];
  const count = Math.min(MAX_PARTS, tensors.length);
  const first = (part: number) => tensors[Math.floor((part * tensors.length) / count)]?.offset ?? parameters;
  return Array.from({ length: count }, (_, part) => ({
    offset: first(part),
    length: first(part + 1) - first(part),
  }));
}
