// What works on the whole vector, once a step or once a ticket.
import { storePart, sum4 } from "./math";

/** Σ x², f32 sums of 256 values added up in f64. */
export function sumOfSquares(x: usize, length: i32, out: usize): void {
  let total: f64 = 0;
  const end = x + (<usize>length << 2);
  while (x + 1024 <= end) {
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    for (let i = 0; i < 32; i++) {
      const a = v128.load(x);
      const b = v128.load(x, 16);
      s0 = f32x4.add(s0, f32x4.mul(a, a));
      s1 = f32x4.add(s1, f32x4.mul(b, b));
      x += 32;
    }
    total += sum4(f32x4.add(s0, s1));
  }
  for (; x < end; x += 4) {
    const a: f64 = load<f32>(x);
    total += a * a;
  }
  store<f32>(out, <f32>total);
}

/** AdamW on one segment; `squares` holds the gradient's squared norm. */
export function adamw(
  x: usize,
  gradient: usize,
  m: usize,
  v: usize,
  squares: usize,
  length: i32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  clip: f32,
  rate: f32,
  /** 1 − β₁ᵗ and 1 − β₂ᵗ */
  correction1: f32,
  correction2: f32,
  /** rate · weight decay, 0 where nothing decays */
  decay: f32,
): void {
  const scale: f32 = min<f32>(1, clip / sqrt<f32>(load<f32>(squares)));
  const scale4 = f32x4.splat(scale);
  const b1 = f32x4.splat(beta1);
  const c1 = f32x4.splat(1 - beta1);
  const b2 = f32x4.splat(beta2);
  const c2 = f32x4.splat(1 - beta2);
  const eps = f32x4.splat(epsilon);
  const step = f32x4.splat(rate / correction1);
  const inverse = f32x4.splat(1 / correction2);
  const keep = f32x4.splat(1 - decay);
  for (let i = 0; i < length; i += 4) {
    const g = f32x4.mul(v128.load(gradient), scale4);
    const m1 = f32x4.add(f32x4.mul(b1, v128.load(m)), f32x4.mul(c1, g));
    const v1 = f32x4.add(f32x4.mul(b2, v128.load(v)), f32x4.mul(c2, f32x4.mul(g, g)));
    const root = f32x4.add(f32x4.sqrt(f32x4.mul(v1, inverse)), eps);
    const x1 = f32x4.sub(f32x4.mul(v128.load(x), keep), f32x4.div(f32x4.mul(step, m1), root));
    if (i + 4 <= length) {
      v128.store(m, m1);
      v128.store(v, v1);
      v128.store(x, x1);
    } else {
      storePart(m, m1, length - i);
      storePart(v, v1, length - i);
      storePart(x, x1, length - i);
    }
    x += 16;
    gradient += 16;
    m += 16;
    v += 16;
  }
}

/**
 * out = alpha·a + beta·b in `rows` rows of `columns` values, each product rounded before the sum, in every build. Rows
 * are `strideA`, `strideB` and `strideOut` values apart; out may be a or b.
 */
export function blend(
  rows: i32,
  columns: i32,
  a: usize,
  strideA: i32,
  alpha: f32,
  b: usize,
  strideB: i32,
  beta: f32,
  out: usize,
  strideOut: i32,
): void {
  const alpha4 = f32x4.splat(alpha);
  const beta4 = f32x4.splat(beta);
  for (let row = 0; row < rows; row++) {
    const end = <usize>columns << 2;
    let at: usize = 0;
    for (; at + 16 <= end; at += 16) {
      const x = f32x4.mul(alpha4, v128.load(a + at));
      v128.store(out + at, f32x4.add(x, f32x4.mul(beta4, v128.load(b + at))));
    }
    for (; at < end; at += 4) store<f32>(out + at, alpha * load<f32>(a + at) + beta * load<f32>(b + at));
    a += <usize>strideA << 2;
    b += <usize>strideB << 2;
    out += <usize>strideOut << 2;
  }
}

/** out = a − b */
export function subtract(a: usize, b: usize, out: usize, length: i32): void {
  const end = a + (<usize>length << 2);
  for (; a + 16 <= end; a += 16) {
    v128.store(out, f32x4.sub(v128.load(a), v128.load(b)));
    b += 16;
    out += 16;
  }
  for (; a < end; a += 4) {
    store<f32>(out, load<f32>(a) - load<f32>(b));
    b += 4;
    out += 4;
  }
}
