// Vector arithmetic shared by the kernels. Everything here is + − × ÷ √ and integer operations, so the build
// without fused multiply-add gives the same bits on every engine.
import { madd } from "./microkernel";

/**
 * The constants of exp4, in memory: V8 builds a vector constant anew wherever a loop uses it, at several
 * instructions each, while a load is one.
 */
const CONSTANTS = memory.data<f32>([
  // below this, e^x counts as 0: denormals would make softmax 25 times slower
  -80,
  // the largest exponent that stays finite
  88,
  // 1/ln 2
  1.44269504088896341,
  // adding and subtracting 1.5·2²³ rounds to the nearest integer, and leaves it in the low bits
  12582912,
  // −ln 2 in two parts, the first with so few bits that its multiples are exact (Cody & Waite)
  -0.693359375, 2.1219444e-4,
  // e^r = 1 + r + r²·p(r), |r| ≤ ln 2 / 2: Cephes' expf coefficients, highest power first
  1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
  // the rest
  1, 60,
]);

/** A constant in every lane. */
// @ts-ignore: decorator
@inline
function constant(index: usize): v128 {
  return v128.load32_splat(CONSTANTS + (index << 2));
}

/** e^x a lane, relative error under 2e-7 for x ≤ 88; exactly 0 below −80. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const lowest = constant(0);
  const flushed = f32x4.lt(x, lowest);
  // pmax(x, c) is x unless x < c: with x first, NaN stays NaN
  const clamped = f32x4.pmin(f32x4.pmax(x, lowest), constant(1));
  // x = n·ln 2 + r
  const magic = constant(3);
  const shifted = madd(clamped, constant(2), magic);
  const n = f32x4.sub(shifted, magic);
  const r = madd(n, constant(5), madd(n, constant(4), clamped));
  let p = madd(constant(6), r, constant(7));
  p = madd(p, r, constant(8));
  p = madd(p, r, constant(9));
  p = madd(p, r, constant(10));
  p = madd(p, r, constant(11));
  const one = constant(12);
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, one));
  // one's bits are 127 << 23, so adding n << 23 to them is 2ⁿ
  const power = i32x4.add(i32x4.shl(shifted, 23), one);
  return v128.andnot(f32x4.mul(p, power), flushed);
}

/** ln x for x > 0 and finite, in f64 (one a row: it need not be fast). */
export function log(x: f64): f64 {
  const bits = reinterpret<u64>(x);
  let exponent = <i32>(bits >> 52) - 1023;
  let mantissa = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (mantissa > 1.4142135623730951) {
    mantissa *= 0.5;
    exponent += 1;
  }
  // ln m = 2·artanh(s), s = (m − 1)/(m + 1), |s| < 0.172
  const s = (mantissa - 1) / (mantissa + 1);
  const q = s * s;
  let sum: f64 = 1.0 / 17;
  sum = sum * q + 1.0 / 15;
  sum = sum * q + 1.0 / 13;
  sum = sum * q + 1.0 / 11;
  sum = sum * q + 1.0 / 9;
  sum = sum * q + 1.0 / 7;
  sum = sum * q + 1.0 / 5;
  sum = sum * q + 1.0 / 3;
  sum = sum * q + 1;
  return <f64>exponent * 0.6931471805599453 + 2 * s * sum;
}

/** The sum of four lanes, in one fixed order. */
// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) +
    f32x4.extract_lane(x, 2) +
    (f32x4.extract_lane(x, 1) + f32x4.extract_lane(x, 3))
  );
}

// @ts-ignore: decorator
@inline
export function max4(x: v128): f32 {
  return max(
    max(f32x4.extract_lane(x, 0), f32x4.extract_lane(x, 2)),
    max(f32x4.extract_lane(x, 1), f32x4.extract_lane(x, 3)),
  );
}

/** The first `count` (1 to 3) lanes from memory, the others `fill`. Reads 16 bytes: arenas end with a margin. */
export function loadPart(at: usize, count: i32, fill: f32): v128 {
  const lanes = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  return v128.bitselect(v128.load(at), f32x4.splat(fill), lanes);
}

/** Stores the first `count` (1 to 3) lanes. */
export function storePart(at: usize, x: v128, count: i32): void {
  v128.store_lane<f32>(at, x, 0);
  if (count > 1) v128.store_lane<f32>(at, x, 1, 4);
  if (count > 2) v128.store_lane<f32>(at, x, 2, 8);
}
