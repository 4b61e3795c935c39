// Causal attention, a sequence and a head at a time, in blocks of query rows: a block sees the keys up to its
// own last row only, which skips nearly half of the square.
import { GEMM_SCRATCH, multiply } from "./gemm";
import { exp4, log, max4, sum4 } from "./math";

/** Query rows of a block. A multiple of 4 and 6, so that the microkernel's tiles come out even. */
const BLOCK: i32 = 48;

/** Up to this context all probabilities are kept for the backward; beyond it a log-sum-exp a row. */
const KEEP: i32 = 256;

/** Probabilities of a row, padded to whole vectors. */
// @ts-ignore: decorator
@inline
function padded(context: i32): i32 {
  return (context + 3) & ~3;
}

/** Values that the forward keeps for the backward. */
export function attentionSaved(batch: i32, context: i32, heads: i32): f64 {
  const row = context <= KEEP ? padded(context) : 1;
  return <f64>batch * heads * context * row;
}

/** Values of scratch memory that both directions need: two blocks of scores. */
export function attentionScratch(context: i32): i32 {
  return GEMM_SCRATCH + 2 * BLOCK * padded(context);
}

/** The address of row `row` of sequence `sequence`, head `head` in [batch·context, heads·size]-like memory. */
// @ts-ignore: decorator
@inline
function slice(at: usize, sequence: i32, head: i32, context: i32, width: i32, size: i32): usize {
  return at + (<usize>(sequence * context) * <usize>width + <usize>(head * size)) * 4;
}

/** out = softmax(q·kᵀ/√size)·v; `saved` may be 0 (nothing kept). `scratch` begins after GEMM_SCRATCH. */
export function attention(
  qkv: usize,
  out: usize,
  saved: usize,
  batch: i32,
  context: i32,
  heads: i32,
  size: i32,
  scratch: usize,
): void {
  const width = heads * size;
  const ld = padded(context);
  const scale: f32 = 1 / sqrt<f32>(<f32>size);
  for (let sequence = 0; sequence < batch; sequence++) {
    for (let head = 0; head < heads; head++) {
      const q = slice(qkv, sequence, head, context, 3 * width, size);
      const k = q + (<usize>width << 2);
      const v = k + (<usize>width << 2);
      const o = slice(out, sequence, head, context, width, size);
      const kept = keptAt(saved, sequence * heads + head, context);
      for (let row = 0; row < context; row += BLOCK) {
        const rows = min(BLOCK, context - row);
        const seen = row + rows;
        const p = saved && context <= KEEP ? kept + (<usize>(row * ld) << 2) : scratch;
        const qb = q + (<usize>(row * 3 * width) << 2);
        multiply(rows, seen, size, qb, 3 * width, 1, k, 1, 3 * width, p, ld, false);
        const sums = saved && context > KEEP ? kept + (<usize>row << 2) : 0;
        softmax(p, ld, row, rows, scale, sums);
        multiply(rows, size, seen, p, ld, 1, v, 3 * width, 1, o + (<usize>(row * width) << 2), width, false);
      }
    }
  }
}

export function attentionBackward(
  qkv: usize,
  out: usize,
  saved: usize,
  dOut: usize,
  dQkv: usize,
  batch: i32,
  context: i32,
  heads: i32,
  size: i32,
  scratch: usize,
): void {
  const width = heads * size;
  const w3 = 3 * width;
  const ld = padded(context);
  const scale: f32 = 1 / sqrt<f32>(<f32>size);
  const ds = scratch + (<usize>(BLOCK * ld) << 2);
  const last = ((context - 1) / BLOCK) * BLOCK;
  for (let sequence = 0; sequence < batch; sequence++) {
    for (let head = 0; head < heads; head++) {
      const q = slice(qkv, sequence, head, context, w3, size);
      const k = q + (<usize>width << 2);
      const v = k + (<usize>width << 2);
      const dq = slice(dQkv, sequence, head, context, w3, size);
      const dk = dq + (<usize>width << 2);
      const dv = dk + (<usize>width << 2);
      const o = slice(out, sequence, head, context, width, size);
      const dO = slice(dOut, sequence, head, context, width, size);
      const kept = keptAt(saved, sequence * heads + head, context);
      // The last block sees every key, so it writes all of dK and dV; the blocks before it add.
      for (let row = last; row >= 0; row -= BLOCK) {
        const rows = min(BLOCK, context - row);
        const seen = row + rows;
        const qb = q + (<usize>(row * w3) << 2);
        const dob = dO + (<usize>(row * width) << 2);
        let p = scratch;
        if (context <= KEEP) p = kept + (<usize>(row * ld) << 2);
        else {
          multiply(rows, seen, size, qb, w3, 1, k, 1, w3, p, ld, false);
          recompute(p, ld, row, rows, scale, kept + (<usize>row << 2));
        }
        const add = row < last;
        multiply(seen, size, rows, p, 1, ld, dob, width, 1, dv, w3, add);
        multiply(rows, seen, size, dob, width, 1, v, 1, w3, ds, ld, false);
        scoreGradient(p, ds, ld, row, rows, o, dO, width, size, scale);
        multiply(rows, size, seen, ds, ld, 1, k, w3, 1, dq + (<usize>(row * w3) << 2), w3, false);
        multiply(seen, size, rows, ds, 1, ld, qb, w3, 1, dk, w3, add);
      }
    }
  }
}

function keptAt(saved: usize, index: i32, context: i32): usize {
  const row = context <= KEEP ? padded(context) : 1;
  return saved + ((<usize>index * <usize>(context * row)) << 2);
}

/** Zeros from the vector after the diagonal to the block's last column. */
// @ts-ignore: decorator
@inline
function clearFuture(from: usize, to: usize): void {
  for (; from < to; from += 16) v128.store(from, f32x4.splat(0));
}

/** Puts −∞ on the lanes of the diagonal's vector that lie in the future. Returns the end of that vector. */
// @ts-ignore: decorator
@inline
function maskDiagonal(at: usize, row: i32): usize {
  const end = at + (<usize>padded(row + 1) << 2);
  for (let x = at + (<usize>(row + 1) << 2); x < end; x += 4) store<f32>(x, -Infinity);
  return end;
}

/** Rows of raw scores to probabilities; with `sums`, the log-sum-exp of each scaled row goes there. */
function softmax(p: usize, ld: i32, first: i32, rows: i32, scale: f32, sums: usize): void {
  const width = <usize>padded(first + rows) << 2;
  for (let row = first; row < first + rows; row++) {
    const end = maskDiagonal(p, row);
    let top = f32x4.splat(-Infinity);
    for (let x = p; x < end; x += 16) top = f32x4.pmax(top, v128.load(x));
    const highest = max4(top);
    const shift = f32x4.splat(-highest * scale);
    let sum = f32x4.splat(0);
    for (let x = p; x < end; x += 16) {
      const e = exp4(f32x4.add(f32x4.mul(v128.load(x), f32x4.splat(scale)), shift));
      v128.store(x, e);
      sum = f32x4.add(sum, e);
    }
    const total = sum4(sum);
    const inverse = f32x4.splat(1 / total);
    for (let x = p; x < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), inverse));
    clearFuture(end, p + width);
    if (sums) {
      store<f32>(sums, highest * scale + <f32>log(total));
      sums += 4;
    }
    p += <usize>ld << 2;
  }
}

/** The same probabilities again from raw scores and log-sum-exps. */
function recompute(p: usize, ld: i32, first: i32, rows: i32, scale: f32, sums: usize): void {
  const width = <usize>padded(first + rows) << 2;
  for (let row = first; row < first + rows; row++) {
    const end = maskDiagonal(p, row);
    const shift = f32x4.splat(-load<f32>(sums));
    for (let x = p; x < end; x += 16)
      v128.store(x, exp4(f32x4.add(f32x4.mul(v128.load(x), f32x4.splat(scale)), shift)));
    clearFuture(end, p + width);
    sums += 4;
    p += <usize>ld << 2;
  }
}

/** In place, from dP: dS = P∘(dP − dO·out)·scale, already times the scale that q·k was given. */
function scoreGradient(
  p: usize,
  ds: usize,
  ld: i32,
  first: i32,
  rows: i32,
  o: usize,
  dO: usize,
  width: i32,
  size: i32,
  scale: f32,
): void {
  const columns = <usize>padded(first + rows) << 2;
  const factor = f32x4.splat(scale);
  for (let row = first; row < first + rows; row++) {
    const offset = <usize>(row * width) << 2;
    const mean = f32x4.splat(dot(o + offset, dO + offset, size));
    const end = <usize>padded(row + 1) << 2;
    for (let x: usize = 0; x < end; x += 16) {
      const slope = f32x4.mul(f32x4.sub(v128.load(ds + x), mean), factor);
      v128.store(ds + x, f32x4.mul(v128.load(p + x), slope));
    }
    clearFuture(ds + end, ds + columns);
    p += <usize>ld << 2;
    ds += <usize>ld << 2;
  }
}

function dot(x: usize, y: usize, length: i32): f32 {
  let sum = f32x4.splat(0);
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    sum = f32x4.add(sum, f32x4.mul(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  let total = sum4(sum);
  for (; i < length; i++) {
    total += load<f32>(x) * load<f32>(y);
    x += 4;
    y += 4;
  }
  return total;
}
