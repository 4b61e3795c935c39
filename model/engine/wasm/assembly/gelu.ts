// GELU in its tanh form, ½x(1 + tanh u) = x·σ(2u) with u = √(2/π)·(x + 0.044715·x³): one exp, no tanh.
import { exp4, loadPart, storePart } from "./math";

/** 0.044715 · 2√(2/π), 2√(2/π), 3 · the first, 1, −60; in memory for the reason that exp4's are. */
const CONSTANTS = memory.data<f32>([0.07135481282, 1.5957691216, 0.2140644385, 1, -60]);

// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load32_splat(CONSTANTS + (index << 2));
}

/** σ(2u); x² is at hand. Beyond −2u = 60 nothing changes but the quotient would come near the denormals. */
// @ts-ignore: decorator
@inline
function gate(x: v128, square: v128): v128 {
  const one = constant(3);
  const twice = f32x4.mul(x, f32x4.add(f32x4.mul(square, constant(0)), constant(1)));
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(f32x4.pmax(twice, constant(4))))));
}

// @ts-ignore: decorator
@inline
function value(x: v128): v128 {
  return f32x4.mul(x, gate(x, f32x4.mul(x, x)));
}

/** d/dx x·σ(2u) = σ·(1 + x·(1 − σ)·(2u)′), (2u)′ = 2√(2/π)·(1 + 3·0.044715·x²) */
// @ts-ignore: decorator
@inline
function slope(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const s = gate(x, square);
  const inner = f32x4.add(f32x4.mul(square, constant(2)), constant(1));
  const one = constant(3);
  return f32x4.mul(s, f32x4.add(one, f32x4.mul(f32x4.mul(x, inner), f32x4.sub(one, s))));
}

/** In place, keeping what was there in `pre` (where it is not 0). */
export function gelu(x: usize, pre: usize, length: i32): void {
  if (pre) memory.copy(pre, x, <usize>length << 2);
  const end = x + (<usize>(length & ~3) << 2);
  for (; x < end; x += 16) v128.store(x, value(v128.load(x)));
  const rest = length & 3;
  if (rest) storePart(x, value(loadPart(x, rest, 0)), rest);
}

/** x ∘= gelu′(pre) */
export function geluBackward(x: usize, pre: usize, length: i32): void {
  const end = x + (<usize>(length & ~3) << 2);
  for (; x < end; x += 16) {
    v128.store(x, f32x4.mul(v128.load(x), slope(v128.load(pre))));
    pre += 16;
  }
  const rest = length & 3;
  if (rest) storePart(x, f32x4.mul(loadPart(x, rest, 0), slope(loadPart(pre, rest, 0))), rest);
}
