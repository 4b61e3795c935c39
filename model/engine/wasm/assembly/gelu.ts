// GELU in its tanh form, ½x(1 + tanh u) = x·σ(2u) with u = √(2/π)·(x + 0.044715·x³): one exp, no tanh.
import { constant, loadPart, powerOf2, storePart } from "./math";
import { madd } from "./microkernel";

/**
 * −2u·log₂e = x·(C0·x² + C1), so that σ(2u) = 1/(1 + 2^that), which is held within ±86: beyond it changes nothing,
 * and the quotient would come near the denormals. (2u)′ = C4·x² + C5.
 */
const CONSTANTS = memory.data<f32>([
  -0.10294324, -2.3022082, -86, 86,
  // 3 · 0.044715 · 2√(2/π), 2√(2/π), 1
  0.2140644385, 1.5957691216, 1,
]);

/** σ(2u); x² is at hand. */
// @ts-ignore: decorator
@inline
function gate(x: v128, square: v128): v128 {
  const y = f32x4.mul(x, madd(square, constant(CONSTANTS, 0), constant(CONSTANTS, 1)));
  const held = f32x4.pmin(f32x4.pmax(y, constant(CONSTANTS, 2)), constant(CONSTANTS, 3));
  const one = constant(CONSTANTS, 6);
  return f32x4.div(one, f32x4.add(one, powerOf2(held)));
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
  const inner = madd(square, constant(CONSTANTS, 4), constant(CONSTANTS, 5));
  const one = constant(CONSTANTS, 6);
  return f32x4.mul(s, madd(f32x4.mul(x, inner), f32x4.sub(one, s), one));
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
