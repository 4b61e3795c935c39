// Vector arithmetic shared by the kernels. Everything here is + − × ÷ √ and integer operations, so the build
// without fused multiply-add gives the same bits on every engine.
import { madd } from "./microkernel";

/**
 * Constants of the kernels that loop, in memory: V8 builds a vector constant anew wherever a loop uses it, at
 * several instructions each, while a load is one.
 */
const CONSTANTS = memory.data<f32>([
  // adding and subtracting 1.5·2²³ rounds to the nearest integer, and leaves it in the low bits
  12582912,
  // 2^f = 1 + f·p(f) for |f| ≤ ½, relative error 1.1e-7: a least-squares fit reweighted towards minimax
  1.326472731e-3, 9.671512991e-3, 5.550733581e-2, 2.402224243e-1, 6.931470037e-1, 1,
  // below this, e^x counts as 0: denormals would make softmax 25 times slower
  -80,
  // 1/ln 2
  1.4426950408889634,
]);

/** One of a table's values, in every lane. */
// @ts-ignore: decorator
@inline
export function constant(table: usize, index: usize): v128 {
  return v128.load32_splat(table + (index << 2));
}

/** 2^y a lane for −126 ≤ y ≤ 127. NaN stays NaN. */
// @ts-ignore: decorator
@inline
export function powerOf2(y: v128): v128 {
  const magic = constant(CONSTANTS, 0);
  const shifted = f32x4.add(y, magic);
  const f = f32x4.sub(y, f32x4.sub(shifted, magic));
  let p = madd(constant(CONSTANTS, 1), f, constant(CONSTANTS, 2));
  p = madd(p, f, constant(CONSTANTS, 3));
  p = madd(p, f, constant(CONSTANTS, 4));
  p = madd(p, f, constant(CONSTANTS, 5));
  const one = constant(CONSTANTS, 6);
  p = madd(p, f, one);
  // one's bits are 127 << 23, so adding n << 23 to them is 2ⁿ
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), one));
}

/** e^x a lane for x ≤ 80; exactly 0 below −80. The error is 2e-7 near 0 and grows by 6e-8 times |x|. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const lowest = constant(CONSTANTS, 7);
  // pmax(x, c) is x unless x < c: with x first, NaN stays NaN
  const power = powerOf2(f32x4.mul(f32x4.pmax(x, lowest), constant(CONSTANTS, 8)));
  return v128.andnot(power, f32x4.lt(x, lowest));
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
