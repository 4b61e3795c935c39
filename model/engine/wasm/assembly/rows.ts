// What works on rows: embedding, layer norm, cross-entropy.
import { exp4, loadPart, log, max4, storePart, sum4 } from "./math";
import { madd } from "./microkernel";

const EPSILON: f32 = 1e-5;

/** out[r] = table[tokens[r]] + positions[r mod context] */
export function embed(
  tokens: usize,
  table: usize,
  positions: usize,
  out: usize,
  rows: i32,
  context: i32,
  width: i32,
): void {
  const bytes = <usize>width << 2;
  for (let row = 0; row < rows; row++) {
    const token = table + <usize>load<u32>(tokens + (<usize>row << 2)) * bytes;
    const position = positions + <usize>(row % context) * bytes;
    memory.copy(out, token, bytes);
    addTo(out, position, bytes);
    out += bytes;
  }
}

/** dTable[v] += Σ of v's rows in ascending order; dPositions[t] (+)= Σ over sequences. */
export function embedBackward(
  dOut: usize,
  starts: usize,
  order: usize,
  dTable: usize,
  dPositions: usize,
  rows: i32,
  context: i32,
  width: i32,
  vocabulary: i32,
  add: bool,
): void {
  const bytes = <usize>width << 2;
  for (let token = 0; token < vocabulary; token++) {
    const end = load<u32>(starts + (<usize>token << 2), 4);
    for (let i = load<u32>(starts + (<usize>token << 2)); i < end; i++)
      addTo(dTable, dOut + <usize>load<u32>(order + (<usize>i << 2)) * bytes, bytes);
    dTable += bytes;
  }
  if (!add) memory.fill(dPositions, 0, <usize>context * bytes);
  for (let row = 0; row < rows; row++)
    addTo(dPositions + <usize>(row % context) * bytes, dOut + <usize>row * bytes, bytes);
}

/** to += from, `bytes` of f32 */
function addTo(to: usize, from: usize, bytes: usize): void {
  const full = bytes & ~15;
  let at: usize = 0;
  for (; at < full; at += 16) v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)));
  for (; at < bytes; at += 4) store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at));
}

/** out = (x − μ)·ρ∘weight + bias; stats[r] = (μ, ρ). The variance is taken around the mean, in a second pass. */
export function layerNorm(
  x: usize,
  weight: usize,
  bias: usize,
  out: usize,
  stats: usize,
  rows: i32,
  width: i32,
): void {
  const bytes = <usize>width << 2;
  const full = bytes & ~15;
  const rest = width & 3;
  for (let row = 0; row < rows; row++) {
    let sum = f32x4.splat(0);
    let at: usize = 0;
    for (; at < full; at += 16) sum = f32x4.add(sum, v128.load(x + at));
    if (rest) sum = f32x4.add(sum, loadPart(x + at, rest, 0));
    const mean = sum4(sum) / <f32>width;
    const mean4 = f32x4.splat(mean);
    let squares = f32x4.splat(0);
    for (at = 0; at < full; at += 16) {
      const d = f32x4.sub(v128.load(x + at), mean4);
      squares = madd(d, d, squares);
    }
    if (rest) {
      const d = f32x4.sub(loadPart(x + at, rest, mean), mean4);
      squares = madd(d, d, squares);
    }
    const scale: f32 = 1 / sqrt<f32>(sum4(squares) / <f32>width + EPSILON);
    const scale4 = f32x4.splat(scale);
    for (at = 0; at < full; at += 16) {
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), mean4), scale4);
      v128.store(out + at, madd(n, v128.load(weight + at), v128.load(bias + at)));
    }
    for (; at < bytes; at += 4) {
      const n: f32 = (load<f32>(x + at) - mean) * scale;
      store<f32>(out + at, n * load<f32>(weight + at) + load<f32>(bias + at));
    }
    store<f32>(stats, mean);
    store<f32>(stats, scale, 4);
    x += bytes;
    out += bytes;
    stats += 8;
  }
}

/** With d = dOut∘weight: dx (+)= ρ·(d − mean(d) − x̂·mean(d∘x̂)); dWeight (+)= Σ dOut∘x̂; dBias (+)= Σ dOut. */
export function layerNormBackward(
  x: usize,
  stats: usize,
  weight: usize,
  dOut: usize,
  dx: usize,
  dWeight: usize,
  dBias: usize,
  rows: i32,
  width: i32,
  residual: bool,
  add: bool,
): void {
  const bytes = <usize>width << 2;
  const full = bytes & ~15;
  const rest = width & 3;
  if (!add) {
    memory.fill(dWeight, 0, bytes);
    memory.fill(dBias, 0, bytes);
  }
  for (let row = 0; row < rows; row++) {
    const mean = load<f32>(stats);
    const scale = load<f32>(stats, 4);
    const mean4 = f32x4.splat(mean);
    const scale4 = f32x4.splat(scale);
    let sum = f32x4.splat(0);
    let product = f32x4.splat(0);
    let at: usize = 0;
    for (; at < full; at += 16) {
      const g = v128.load(dOut + at);
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), mean4), scale4);
      v128.store(dWeight + at, madd(g, n, v128.load(dWeight + at)));
      v128.store(dBias + at, f32x4.add(v128.load(dBias + at), g));
      const d = f32x4.mul(g, v128.load(weight + at));
      sum = f32x4.add(sum, d);
      product = madd(d, n, product);
    }
    if (rest) {
      const g = loadPart(dOut + at, rest, 0);
      const n = f32x4.mul(f32x4.sub(loadPart(x + at, rest, mean), mean4), scale4);
      storePart(dWeight + at, madd(g, n, loadPart(dWeight + at, rest, 0)), rest);
      storePart(dBias + at, f32x4.add(loadPart(dBias + at, rest, 0), g), rest);
      const d = f32x4.mul(g, loadPart(weight + at, rest, 0));
      sum = f32x4.add(sum, d);
      product = madd(d, n, product);
    }
    const m1 = f32x4.splat(sum4(sum) / <f32>width);
    const m2 = f32x4.splat(sum4(product) / <f32>width);
    for (at = 0; at < bytes; at += 16) {
      const part = at < full ? 0 : rest;
      const n = f32x4.mul(f32x4.sub(v128.load(x + at), mean4), scale4);
      const d = f32x4.mul(v128.load(dOut + at), v128.load(weight + at));
      let g = f32x4.mul(scale4, f32x4.sub(f32x4.sub(d, m1), f32x4.mul(n, m2)));
      if (residual) g = f32x4.add(g, v128.load(dx + at));
      if (part) storePart(dx + at, g, part);
      else v128.store(dx + at, g);
    }
    stats += 8;
    x += bytes;
    dOut += bytes;
    dx += bytes;
  }
}

/** losses[r] = ln Σ e^logit − logit[target]; with `gradient`, logits = (softmax − onehot)·lossScale in place. */
export function crossEntropy(
  logits: usize,
  targets: usize,
  losses: usize,
  rows: i32,
  vocabulary: i32,
  stride: i32,
  gradient: bool,
  lossScale: f32,
): void {
  const bytes = <usize>vocabulary << 2;
  const rowBytes = <usize>stride << 2;
  const full = bytes & ~15;
  const rest = vocabulary & 3;
  for (let row = 0; row < rows; row++) {
    const target = logits + (<usize>load<u32>(targets) << 2);
    const chosen = load<f32>(target);
    let top = f32x4.splat(-Infinity);
    let at: usize = 0;
    for (; at < full; at += 16) top = f32x4.pmax(top, v128.load(logits + at));
    if (rest) top = f32x4.pmax(top, loadPart(logits + at, rest, -Infinity));
    const highest = max4(top);
    const highest4 = f32x4.splat(highest);
    let sum = f32x4.splat(0);
    for (at = 0; at < full; at += 16) {
      const e = exp4(f32x4.sub(v128.load(logits + at), highest4));
      if (gradient) v128.store(logits + at, e);
      sum = f32x4.add(sum, e);
    }
    if (rest) {
      const e = exp4(f32x4.sub(loadPart(logits + at, rest, -Infinity), highest4));
      if (gradient) storePart(logits + at, e, rest);
      sum = f32x4.add(sum, e);
    }
    const total = sum4(sum);
    store<f32>(losses, <f32>(log(total) + (<f64>highest - chosen)));
    if (gradient) {
      const factor: f32 = lossScale / total;
      const factor4 = f32x4.splat(factor);
      for (at = 0; at < full; at += 16)
        v128.store(logits + at, f32x4.mul(v128.load(logits + at), factor4));
      for (; at < bytes; at += 4) store<f32>(logits + at, load<f32>(logits + at) * factor);
      store<f32>(target, load<f32>(target) - lossScale);
      for (; at < rowBytes; at += 4) store<f32>(logits + at, 0);
    }
    logits += rowBytes;
    targets += 4;
    losses += 4;
  }
}
