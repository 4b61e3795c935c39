// From trained weights to the payload that is sent, once a ticket, to the byte what protocol/codec writes. Everything here is exact or correctly rounded, so both builds agree.

const MAGNITUDE: u32 = 0x7fffffff;
const INFINITE: u32 = 0x7f800000;
/** Values that share a scale in a dense payload. */
const BLOCK: i32 = 64;
const TOPK_HEADER: usize = 8;
/** 2⁻¹⁰⁰: scales below are zero. */
const MIN_SCALE: f32 = 7.888609052210118e-31;
const MAX_SCALE_BITS: u32 = 0x7f7f;

/** total = (a − b) + total */
export function collect(a: usize, b: usize, total: usize, length: i32): void {
  const end = total + (<usize>length << 2);
  for (; total + 16 <= end; total += 16) {
    v128.store(total, f32x4.add(f32x4.sub(v128.load(a), v128.load(b)), v128.load(total)));
    a += 16;
    b += 16;
  }
  for (; total < end; total += 4) {
    const change: f32 = load<f32>(a) - load<f32>(b);
    store<f32>(total, change + load<f32>(total));
    a += 4;
    b += 4;
  }
}

/** residual = factor·residual (+ plus, where there is one) */
export function adjust(residual: usize, factor: f32, plus: usize, length: i32): void {
  const end = residual + (<usize>length << 2);
  for (; residual < end; residual += 4) {
    let value: f32 = factor == 0 ? 0 : load<f32>(residual) * factor;
    if (plus) {
      value += load<f32>(plus);
      plus += 4;
    }
    store<f32>(residual, value);
  }
}

/** The bits of the largest magnitude; those of NaN are above infinity's. */
function largest(values: usize, length: i32): u32 {
  let bits: u32 = 0;
  for (let i = 0; i < length; i++) bits = max(bits, load<u32>(values + (<usize>i << 2)) & MAGNITUDE);
  return bits;
}

/** The smallest bf16 b with b × most ≥ the magnitude of those bits, as 16 bits; zero for what is too small. */
function scaleBits(bits: u32, most: f32): u32 {
  const size = reinterpret<f32>(bits);
  if (size < most * MIN_SCALE) return 0;
  let high = (reinterpret<u32>(size / most) + 0xffff) >> 16;
  // the quotient may have been rounded down onto a bf16
  if (reinterpret<f32>(high << 16) * most < size) high++;
  return min(high, MAX_SCALE_BITS);
}

/** The nearest code, halves going up. Leaves in memory what it leaves out. */
// @ts-ignore: decorator
@inline
function quantise(at: usize, scale: f32, most: f32): i32 {
  const value = load<f32>(at);
  let code = nearest<f32>(value / scale);
  // value − code·scale is exact; a quotient that was rounded onto a half is put right by it
  const rest: f32 = value - code * scale;
  const half: f32 = scale * 0.5;
  if (rest >= half) code += 1;
  else if (rest < -half) code -= 1;
  code = max<f32>(-most, min<f32>(most, code));
  store<f32>(at, value - code * scale);
  return <i32>code;
}

/** A copy; what is left is zero. False where a value is not finite. */
export function extractFloats(total: usize, length: i32, payload: usize): bool {
  if (largest(total, length) >= INFINITE) return false;
  memory.copy(payload, total, <usize>length << 2);
  memory.fill(total, 0, <usize>length << 2);
  return true;
}

/** Dense blocks of `bits` (2, 4 or 8) a value. False where a value is not finite. */
export function extractDense(total: usize, length: i32, bits: i32, payload: usize): bool {
  const most = <f32>((1 << (bits - 1)) - 1);
  const mask = (1 << bits) - 1;
  let codes = payload + 2 * <usize>((length + BLOCK - 1) / BLOCK);
  for (let first = 0; first < length; first += BLOCK) {
    const count = min(BLOCK, length - first);
    const size = largest(total, count);
    if (size >= INFINITE) return false;
    const shared = scaleBits(size, most);
    store<u16>(payload, <u16>shared);
    payload += 2;
    const scale = reinterpret<f32>(shared << 16);
    let byte = 0;
    let filled = 0;
    for (let i = 0; i < count; i++) {
      if (shared) byte |= (quantise(total, scale, most) & mask) << filled;
      total += 4;
      filled += bits;
      if (filled == 8) {
        store<u8>(codes++, <u8>byte);
        byte = 0;
        filled = 0;
      }
    }
    if (filled) store<u8>(codes++, <u8>byte);
  }
  return true;
}

/**
 * Mid-rise blocks of `bits` (1 to 3) a value, `span` scales in a block's largest magnitude, see protocol/codec. False where a
 * value is not finite.
 */
export function extractMidrise(total: usize, length: i32, bits: i32, span: f32, payload: usize): bool {
  const middle = 1 << (bits - 1);
  const most = (1 << bits) - 1;
  codes.at = payload + 2 * <usize>((length + BLOCK - 1) / BLOCK);
  codes.held = codes.filled = 0;
  for (let first = 0; first < length; first += BLOCK) {
    const count = min(BLOCK, length - first);
    const size = largest(total, count);
    if (size >= INFINITE) return false;
    const shared = scaleBits(size, span);
    store<u16>(payload, <u16>shared);
    payload += 2;
    const scale = reinterpret<f32>(shared << 16);
    const step: f32 = 2 * scale;
    for (let i = 0; i < count; i++) {
      const value = load<f32>(total);
      let code = 0;
      if (shared) {
        for (let at: i32 = 1 - middle; at < middle; at++) code += <i32>(value >= <f32>at * step);
        const level: i32 = 2 * code - most;
        store<f32>(total, value - <f32>level * scale);
      }
      codes.push(code, bits);
      total += 4;
    }
  }
  codes.flush();
  return true;
}

/** The bits of the `k`-th largest magnitude, by three digits of 11, 10 and 10 bits; `counts` holds 2,048 words. */
function threshold(values: usize, length: i32, k: i32, counts: usize): u32 {
  let known: u32 = 0;
  let mask: u32 = 0;
  let wanted = k;
  for (let digit = 0; digit < 3; digit++) {
    const shift = digit == 0 ? 20 : digit == 1 ? 10 : 0;
    const digits: u32 = digit == 0 ? 2047 : 1023;
    memory.fill(counts, 0, 8192);
    for (let i = 0; i < length; i++) {
      const bits = load<u32>(values + (<usize>i << 2)) & MAGNITUDE;
      if ((bits & mask) != known) continue;
      const at = counts + (<usize>((bits >> shift) & digits) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
    let value = digits;
    for (; ; value--) {
      const here = <i32>load<u32>(counts + (<usize>value << 2));
      if (here >= wanted) break;
      wanted -= here;
    }
    known |= value << shift;
    mask |= digits << shift;
  }
  return known;
}

/** Bytes that are being filled, low bits first. */
class Stream {
  constructor(
    public at: usize,
    public held: u32 = 0,
    public filled: u32 = 0,
  ) {}

  push(value: u32, width: u32): void {
    this.held |= value << this.filled;
    this.filled += width;
    while (this.filled >= 8) {
      store<u8>(this.at++, <u8>this.held);
      this.held >>= 8;
      this.filled -= 8;
    }
  }

  flush(): void {
    if (this.filled) store<u8>(this.at, <u8>this.held);
  }
}

const indices = new Stream(0);
const codes = new Stream(0);

/** The `k` largest of each `chunk` values, see protocol/codec. False where a value is not finite. */
export function extractTopK(
  total: usize,
  length: i32,
  chunk: i32,
  k: i32,
  bits: i32,
  payload: usize,
  counts: usize,
): bool {
  const most = <f32>((1 << (bits - 1)) - 1);
  const mask = (1 << bits) - 1;
  const width = ctz<u32>(chunk);
  const entries = (length / chunk) * k + min(k, length % chunk);
  store<u16>(payload, <u16>chunk);
  store<u16>(payload, <u16>k, 2);
  store<u32>(payload, <u32>bits, 4);
  let scales = payload + TOPK_HEADER;
  const chunks = (length + chunk - 1) / chunk;
  indices.at = scales + 2 * <usize>chunks;
  codes.at = indices.at + ((<usize>entries * width + 7) >> 3);
  indices.held = indices.filled = codes.held = codes.filled = 0;
  for (let first = 0; first < length; first += chunk) {
    const count = min(chunk, length - first);
    const size = largest(total, count);
    if (size >= INFINITE) return false;
    const shared = scaleBits(size, most);
    store<u16>(scales, <u16>shared);
    scales += 2;
    const scale = reinterpret<f32>(shared << 16);
    const least = k < count ? threshold(total, count, k, counts) : 0;
    let equal = min(k, count);
    for (let i = 0; i < count; i++) equal -= <i32>((load<u32>(total + (<usize>i << 2)) & MAGNITUDE) > least);
    for (let i = 0; i < count; i++) {
      const at = total + (<usize>i << 2);
      const magnitude = load<u32>(at) & MAGNITUDE;
      if (magnitude < least || (magnitude == least && --equal < 0)) continue;
      indices.push(i, width);
      codes.push(shared ? quantise(at, scale, most) & mask : 0, bits);
    }
    total += <usize>count << 2;
  }
  indices.flush();
  codes.flush();
  return true;
}
