// Vector arithmetic shared by the kernels. Everything here is + − × ÷ √ and integer operations, so the build
// without fused multiply-add gives the same bits on every engine.
import { madd } from "./microkernel";

/** Below this, e^x counts as 0: denormals would make softmax 25 times slower. */
const FLUSH: f32 = -80;
/** Adding and subtracting 1.5·2²³ rounds to the nearest integer, and leaves it in the low bits. */
const ROUND: f32 = 12582912;

/** e^x a lane, relative error under 2e-7 for x ≤ 88; exactly 0 below −80. */
export function exp4(x: v128): v128 {
  const flushed = f32x4.lt(x, f32x4.splat(FLUSH));
  // pmax(x, c) is x unless x < c: with x first, NaN stays NaN
  const clamped = f32x4.pmin(f32x4.pmax(x, f32x4.splat(FLUSH)), f32x4.splat(88));
  // x = n·ln 2 + r, |r| ≤ ln 2 / 2; ln 2 in two parts so that r is exact (Cody & Waite)
  const shifted = madd(clamped, f32x4.splat(1.44269504088896341), f32x4.splat(ROUND));
  const n = f32x4.sub(shifted, f32x4.splat(ROUND));
  let r = madd(n, f32x4.splat(-0.693359375), clamped);
  r = madd(n, f32x4.splat(2.12194440e-4), r);
  // e^r = 1 + r + r²·p(r), Cephes' expf coefficients
  let p = f32x4.splat(1.9875691500e-4);
  p = madd(p, r, f32x4.splat(1.3981999507e-3));
  p = madd(p, r, f32x4.splat(8.3334519073e-3));
  p = madd(p, r, f32x4.splat(4.1665795894e-2));
  p = madd(p, r, f32x4.splat(1.6666665459e-1));
  p = madd(p, r, f32x4.splat(5.0000001201e-1));
  p = madd(p, f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1)));
  const power = i32x4.shl(i32x4.add(shifted, i32x4.splat(127)), 23);
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
