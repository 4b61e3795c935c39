// Copies blocks of matrices into the order in which the microkernel reads them. Strides absorb transposition
// and slices of heads, so nothing else ever transposes. All strides are in bytes.

/** Columns of C that one microkernel call computes. */
export const COLUMNS: i32 = 8;

/**
 * `lines` of A or B into panels of `width` lines, each [k, width]; missing lines of the last panel are zero.
 * Element (line, k) lies at from + line·lineStride + k·kStride.
 */
export function pack(
  from: usize,
  lineStride: usize,
  kStride: usize,
  lines: i32,
  k: i32,
  width: i32,
  to: usize,
): void {
  let line = 0;
  for (; line + width <= lines; line += width) {
    const panel = from + <usize>line * lineStride;
    if (lineStride == 4) packAlong(panel, kStride, k, width, to);
    else if (kStride == 4) packAcross(panel, lineStride, k, width, to);
    else packAny(panel, lineStride, kStride, width, k, width, to);
    to += <usize>(k * width) << 2;
  }
  if (line < lines) packAny(from + <usize>line * lineStride, lineStride, kStride, lines - line, k, width, to);
}

/** Lines lie side by side in memory: copy `width` values a k. */
function packAlong(from: usize, kStride: usize, k: i32, width: i32, to: usize): void {
  if (width == 8) {
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += kStride;
      to += 32;
    }
  } else if (width == 6) {
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      store<u64>(to, load<u64>(from, 16), 16);
      from += kStride;
      to += 24;
    }
  } else {
    for (let i = 0; i < k; i++) {
      v128.store(to, v128.load(from));
      from += kStride;
      to += 16;
    }
  }
}

/** k runs along memory: transpose 4 × 4 at a time (and 2 × 4 for the last two of six lines). */
function packAcross(from: usize, lineStride: usize, k: i32, width: i32, to: usize): void {
  const stride = <usize>width << 2;
  let i = 0;
  for (; i + 4 <= k; i += 4) {
    transpose(from, lineStride, to, stride);
    if (width == 8) transpose(from + 4 * lineStride, lineStride, to + 16, stride);
    else if (width == 6) {
      const x = v128.load(from + 4 * lineStride);
      const y = v128.load(from + 5 * lineStride);
      const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
      const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
      v128.store_lane<u64>(to, low, 0, 16);
      v128.store_lane<u64>(to + stride, low, 1, 16);
      v128.store_lane<u64>(to + 2 * stride, high, 0, 16);
      v128.store_lane<u64>(to + 3 * stride, high, 1, 16);
    }
    from += 16;
    to += stride << 2;
  }
  if (i < k) packAny(from, lineStride, 4, width, k - i, width, to);
}

// @ts-ignore: decorator
@inline
function transpose(from: usize, lineStride: usize, to: usize, stride: usize): void {
  const x = v128.load(from);
  const y = v128.load(from + lineStride);
  const z = v128.load(from + 2 * lineStride);
  const w = v128.load(from + 3 * lineStride);
  const xy0 = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
  const zw0 = v128.shuffle<f32>(z, w, 0, 4, 1, 5);
  const xy2 = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
  const zw2 = v128.shuffle<f32>(z, w, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(xy0, zw0, 0, 2));
  v128.store(to + stride, v128.shuffle<u64>(xy0, zw0, 1, 3));
  v128.store(to + 2 * stride, v128.shuffle<u64>(xy2, zw2, 0, 2));
  v128.store(to + 3 * stride, v128.shuffle<u64>(xy2, zw2, 1, 3));
}

function packAny(
  from: usize,
  lineStride: usize,
  kStride: usize,
  lines: i32,
  k: i32,
  width: i32,
  to: usize,
): void {
  for (let i = 0; i < k; i++) {
    let line = 0;
    for (; line < lines; line++) {
      store<f32>(to, load<f32>(from + <usize>line * lineStride));
      to += 4;
    }
    for (; line < width; line++) {
      store<f32>(to, 0);
      to += 4;
    }
    from += kStride;
  }
}

