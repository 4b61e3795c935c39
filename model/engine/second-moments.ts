import type { Optimizer } from "../contract/config.ts";
import { decays, type Layout } from "../contract/layout.ts";
import { hasSquares } from "../contract/muon.ts";
import type { Segment } from "./ops.ts";

/**
 * Runs of neighbouring tensors that AdamW moves and weight decay treats the same way, in the layout's order. The arena `v` holds
 * their values one run after another: with Muon that leaves the matrices out.
 */
export function segmentsOf(layout: Layout, optimizer: Optimizer): Segment[] {
  const segments: Segment[] = [];
  for (const tensor of layout.tensors) {
    if (!hasSquares(tensor, optimizer)) continue;
    const last = segments.at(-1);
    if (last && last.decays === decays(tensor) && last.offset + last.length === tensor.offset)
      segments[segments.length - 1] = { ...last, length: last.length + tensor.length };
    else segments.push({ offset: tensor.offset, length: tensor.length, decays: decays(tensor) });
  }
  return segments;
}

/** Values of the arena `v`. */
export const squaresOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { length }) => sum + length, 0);

/** The arena `v` of a flat vector of second moments: that itself where AdamW moves all of it. */
export function packSquares(segments: readonly Segment[], flat: Float32Array): Float32Array {
  const length = squaresOf(segments);
  if (length === flat.length) return flat;
  const packed = new Float32Array(length);
  let at = 0;
  for (const { offset, length } of segments) {
    packed.set(flat.subarray(offset, offset + length), at);
    at += length;
  }
  return packed;
}

/** The flat vector again, always a vector of its own, since `packed` may be a device's memory: 0 where AdamW does not reach. */
export function unpackSquares(
  segments: readonly Segment[],
  packed: Float32Array,
  length: number,
): Float32Array {
  const flat = new Float32Array(length);
  let at = 0;
  for (const segment of segments) {
    flat.set(packed.subarray(at, at + segment.length), segment.offset);
    at += segment.length;
  }
  return flat;
}
