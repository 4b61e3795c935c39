// C[m, n] (+)= A[m, k]·B[k, n] in blocks that fit the caches (Goto & van de Geijn 2008), then an epilogue on
// each block of rows while it is still warm.
import { COLUMNS, pack } from "./pack";
import { microkernel, ROWS } from "./microkernel";
import { exp4, loadPart, storePart } from "./math";

/** k of a block: panels of A and B of this depth share the first-level cache (14 of 32 KiB). */
const DEPTH: i32 = 256;
/** Rows of a block, a multiple of 4 and of 6: with DEPTH, 96 KiB of the second-level cache. */
const HEIGHT: i32 = 96;
/** Columns of a block: with DEPTH, 512 KiB. */
const BREADTH: i32 = 512;

/** Where blocks are packed, and a tile for ragged edges; set by {@link scratch}. */
let packedA: usize = 0;
let packedB: usize = 0;
let edge: usize = 0;

/** What every product needs of scratch memory, in values. */
export const GEMM_SCRATCH: i32 = HEIGHT * DEPTH + BREADTH * DEPTH + 64;

/** Says where scratch memory is (GEMM_SCRATCH values). */
export function useScratch(at: usize): void {
  edge = at;
  packedA = at + (64 << 2);
  packedB = packedA + (<usize>(HEIGHT * DEPTH) << 2);
}

/** What happens to a finished block; 0 stands for "none". Set before {@link multiply}, cleared after. */
let bias: usize = 0;
let residual: usize = 0;
let activation: i32 = 0;
let pre: usize = 0;

const GELU: i32 = 1;
const GELU_BACKWARD: i32 = 2;

/** A whole gemm op: strides in values, pointers in bytes; the epilogue's operands are [n] or [m, n] or 0. */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  rowA: i32,
  columnA: i32,
  b: usize,
  rowB: i32,
  columnB: i32,
  c: usize,
  add: bool,
  biasAt: usize,
  residualAt: usize,
  activationKind: i32,
  preAt: usize,
): void {
  bias = biasAt;
  residual = residualAt;
  activation = activationKind;
  pre = preAt;
  multiply(m, n, k, a, rowA, columnA, b, rowB, columnB, c, n, add);
  bias = 0;
  residual = 0;
  activation = 0;
}

/** C (+)= A·B. Element (i, j) of A lies at a + 4·(i·rowA + j·columnA), likewise B; C's rows are rowC apart. */
export function multiply(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  rowA: i32,
  columnA: i32,
  b: usize,
  rowB: i32,
  columnB: i32,
  c: usize,
  rowC: i32,
  add: bool,
): void {
  const ra = <usize>rowA << 2;
  const ca = <usize>columnA << 2;
  const rb = <usize>rowB << 2;
  const cb = <usize>columnB << 2;
  const rc = <usize>rowC << 2;
  for (let j = 0; j < n; j += BREADTH) {
    const breadth = min(BREADTH, n - j);
    for (let l = 0; l < k; l += DEPTH) {
      const depth = min(DEPTH, k - l);
      pack(b + l * rb + j * cb, cb, rb, breadth, depth, COLUMNS, packedB);
      for (let i = 0; i < m; i += HEIGHT) {
        const height = min(HEIGHT, m - i);
        pack(a + i * ra + l * ca, ra, ca, height, depth, ROWS, packedA);
        const at = c + i * rc + (<usize>j << 2);
        block(height, breadth, depth, at, rc, add || l > 0);
        if (l + depth == k && (bias || residual || activation)) epilogue(i, height, j, breadth, c, rc);
      }
    }
  }
}

/** One packed block of A times one of B. */
function block(height: i32, breadth: i32, depth: i32, c: usize, rc: usize, add: bool): void {
  const panelA = <usize>(depth * ROWS) << 2;
  let pb = packedB;
  for (let j = 0; j < breadth; j += COLUMNS) {
    const columns = min(COLUMNS, breadth - j);
    let pa = packedA;
    for (let i = 0; i < height; i += ROWS) {
      const at = c + i * rc + (<usize>j << 2);
      const rows = min(ROWS, height - i);
      if (rows == ROWS && columns == COLUMNS) microkernel(depth, pa, pb, at, rc, add);
      else {
        microkernel(depth, pa, pb, edge, COLUMNS << 2, false);
        copyEdge(at, rc, rows, columns, add);
      }
      pa += panelA;
    }
    pb += <usize>(depth * COLUMNS) << 2;
  }
}

function copyEdge(c: usize, rc: usize, rows: i32, columns: i32, add: bool): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = c + i * rc + (<usize>j << 2);
      const value = load<f32>(edge + (<usize>(i * COLUMNS + j) << 2));
      store<f32>(at, add ? load<f32>(at) + value : value);
    }
  }
}

/** + bias, + residual, activation, on rows of a dense C. */
function epilogue(row: i32, height: i32, column: i32, breadth: i32, c: usize, rc: usize): void {
  for (let i = row; i < row + height; i++) {
    const offset = i * rc + (<usize>column << 2);
    const b = bias + (<usize>column << 2);
    const full = <usize>(breadth & ~3) << 2;
    let at: usize = 0;
    for (; at < full; at += 16) {
      let x = v128.load(c + offset + at);
      if (bias) x = f32x4.add(x, v128.load(b + at));
      if (residual) x = f32x4.add(x, v128.load(residual + offset + at));
      if (activation == GELU) {
        if (pre) v128.store(pre + offset + at, x);
        x = gelu(x);
      } else if (activation == GELU_BACKWARD) x = f32x4.mul(x, geluSlope(v128.load(pre + offset + at)));
      v128.store(c + offset + at, x);
    }
    const rest = breadth & 3;
    if (rest) {
      let x = loadPart(c + offset + at, rest, 0);
      if (bias) x = f32x4.add(x, loadPart(b + at, rest, 0));
      if (residual) x = f32x4.add(x, loadPart(residual + offset + at, rest, 0));
      if (activation == GELU) {
        if (pre) storePart(pre + offset + at, x, rest);
        x = gelu(x);
      } else if (activation == GELU_BACKWARD)
        x = f32x4.mul(x, geluSlope(loadPart(pre + offset + at, rest, 0)));
      storePart(c + offset + at, x, rest);
    }
  }
}

/** 2·√(2/π) */
const TWICE: f32 = 1.5957691216057308;
const CUBIC: f32 = 0.044715;

/** σ(2u) = 1/(1 + e^−2u) with u = √(2/π)·(x + 0.044715·x³); GELU's tanh form is x·σ(2u): one exp. */
// @ts-ignore: decorator
@inline
function gate(x: v128, square: v128): v128 {
  const inner = f32x4.add(f32x4.mul(f32x4.splat(CUBIC), square), f32x4.splat(1));
  const u2 = f32x4.mul(f32x4.mul(f32x4.splat(-TWICE), x), inner);
  // e^60 is infinite enough, and keeps the quotient out of the denormals
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.pmin(u2, f32x4.splat(60)))));
}

function gelu(x: v128): v128 {
  return f32x4.mul(x, gate(x, f32x4.mul(x, x)));
}

/** gelu′(x) = σ + x·σ·(1 − σ)·(2u)′, (2u)′ = 2·√(2/π)·(1 + 3·0.044715·x²) */
function geluSlope(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const s = gate(x, square);
  const slope = f32x4.mul(
    f32x4.splat(TWICE),
    f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.splat(3 * CUBIC), square)),
  );
  const tail = f32x4.mul(f32x4.mul(x, slope), f32x4.sub(f32x4.splat(1), s));
  return f32x4.mul(s, f32x4.add(f32x4.splat(1), tail));
}

/** out[n] (+)= Σ_rows x[rows, n]: a bias's gradient. */
export function sumRows(x: usize, rows: i32, n: i32, out: usize, add: bool): void {
  const stride = <usize>n << 2;
  if (!add) memory.fill(out, 0, stride);
  const full = <usize>(n & ~3) << 2;
  for (let row = 0; row < rows; row++) {
    let at: usize = 0;
    for (; at < full; at += 16) v128.store(out + at, f32x4.add(v128.load(out + at), v128.load(x + at)));
    for (; at < stride; at += 4) store<f32>(out + at, load<f32>(out + at) + load<f32>(x + at));
    x += stride;
  }
}
