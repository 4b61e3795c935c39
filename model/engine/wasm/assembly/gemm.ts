// C[m, n] (+)= A[m, k]·B[k, n] in blocks that fit the caches (Goto & van de Geijn 2008). Bias and residual
// enter while a tile is in registers.
import { COLUMNS, pack } from "./pack";
import { microkernel, ROWS } from "./microkernel";
import { gelu, geluBackward } from "./gelu";

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

/** Where the tiles of the first k begin, and what the last adds; 0 for nothing. Set by {@link gemm} alone. */
let residual: usize = 0;
let bias: usize = 0;

/** `activation` of a gemm op. */
const GELU: i32 = 1;
const GELU_BACKWARD: i32 = 2;

/**
 * A whole gemm op: strides in values, pointers in bytes. C's rows are rowC apart, which is n where there is a residual
 * or an activation; `biasAt` [n], `residualAt` and `pre` [m, n] are 0 where there is none.
 */
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
  rowC: i32,
  add: bool,
  biasAt: usize,
  residualAt: usize,
  activation: i32,
  pre: usize,
): void {
  bias = biasAt;
  residual = residualAt;
  multiply(m, n, k, a, rowA, columnA, b, rowB, columnB, c, rowC, add);
  bias = 0;
  residual = 0;
  if (activation == GELU) gelu(c, pre, m * n);
  else if (activation == GELU_BACKWARD) geluBackward(c, pre, m * n);
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
  const ra = bytes(rowA);
  const ca = bytes(columnA);
  const rb = bytes(rowB);
  const cb = bytes(columnB);
  const rc = bytes(rowC);
  for (let j = 0; j < n; j += BREADTH) {
    const breadth = min(BREADTH, n - j);
    for (let l = 0; l < k; l += DEPTH) {
      const depth = min(DEPTH, k - l);
      const first = l == 0 && !add;
      const last = l + depth == k;
      pack(b + <usize>l * rb + <usize>j * cb, cb, rb, breadth, depth, COLUMNS, packedB);
      for (let i = 0; i < m; i += HEIGHT) {
        const height = min(HEIGHT, m - i);
        pack(a + <usize>i * ra + <usize>l * ca, ra, ca, height, depth, ROWS, packedA);
        const at = <usize>i * rc + bytes(j);
        const start = first ? (residual ? residual + at : 0) : c + at;
        block(height, breadth, depth, c + at, rc, start, last && bias ? bias + bytes(j) : 0);
      }
    }
  }
}

/**
 * C[n, n] = A[n, k]·B[k, n], where it is known to be symmetric: what lies right of the blocks on the diagonal is worked
 * out, the rest is its mirror image. Strides in values.
 */
export function symmetric(
  n: i32,
  k: i32,
  a: usize,
  rowA: i32,
  columnA: i32,
  b: usize,
  rowB: i32,
  columnB: i32,
  c: usize,
): void {
  for (let i = 0; i < n; i += HEIGHT) {
    const height = min(HEIGHT, n - i);
    const at = c + bytes(i) * n + bytes(i);
    multiply(height, n - i, k, a + bytes(i) * rowA, rowA, columnA, b + bytes(i) * columnB, rowB, columnB, at, n, false);
    for (let j = i + height; j < n; j++) {
      const to = c + bytes(j) * n;
      for (let l = i; l < i + height; l++) store<f32>(to + bytes(l), load<f32>(c + bytes(l) * n + bytes(j)));
    }
  }
}

/** C = start + packedA·packedB + bias; start may be C. */
function block(
  height: i32,
  breadth: i32,
  depth: i32,
  c: usize,
  rc: usize,
  start: usize,
  biasAt: usize,
): void {
  const panelA = bytes(depth * ROWS);
  const panelB = bytes(depth * COLUMNS);
  let b = packedB;
  for (let j = 0; j < breadth; j += COLUMNS) {
    const columns = min(COLUMNS, breadth - j);
    const biasHere = biasAt ? biasAt + bytes(j) : 0;
    let a = packedA;
    for (let i = 0; i < height; i += ROWS) {
      const rows = min(ROWS, height - i);
      const at = <usize>i * rc + bytes(j);
      const startHere = start ? start + at : 0;
      if (rows == ROWS && columns == COLUMNS) microkernel(depth, a, b, c + at, rc, startHere, rc, biasHere);
      else {
        microkernel(depth, a, b, edge, bytes(COLUMNS), 0, 0, 0);
        storeEdge(c + at, rc, rows, columns, startHere, biasHere);
      }
      a += panelA;
    }
    b += panelB;
  }
}

/** Copies the part of a ragged tile that exists. */
function storeEdge(c: usize, rc: usize, rows: i32, columns: i32, start: usize, biasAt: usize): void {
  for (let i = 0; i < rows; i++) {
    const row = <usize>i * rc;
    for (let j = 0; j < columns; j++) {
      const at = bytes(j);
      let value = load<f32>(edge + bytes(i * COLUMNS) + at);
      if (start) value += load<f32>(start + row + at);
      if (biasAt) value += load<f32>(biasAt + at);
      store<f32>(c + row + at, value);
    }
  }
}

/** The size of so many values. */
// @ts-ignore: decorator
@inline
function bytes(values: i32): usize {
  return <usize>values << 2;
}

/** out[n] (+)= Σ_rows x[rows, n]: a bias's gradient. */
export function sumRows(x: usize, rows: i32, n: i32, out: usize, add: bool): void {
  const stride = bytes(n);
  const full = stride & ~15;
  if (!add) memory.fill(out, 0, stride);
  for (let row = 0; row < rows; row++) {
    let at: usize = 0;
    for (; at < full; at += 16) v128.store(out + at, f32x4.add(v128.load(out + at), v128.load(x + at)));
    for (; at < stride; at += 4) store<f32>(out + at, load<f32>(out + at) + load<f32>(x + at));
    x += stride;
  }
}
