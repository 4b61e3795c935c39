import { CHUNK, CHUNK_WORDS } from "../../halves.ts";
import type { Convert } from "../../ops.ts";
import type { Kernel, line, main, Work } from "./kernel.ts";

/** Each invocation has two times four values of a chunk. */
const SIZE = CHUNK / 8;
/** Four words each. */
const CHUNK_UNITS = CHUNK_WORDS / 4;
/** The largest exponent of an f32, which is that of values that are not finite. */
const NOT_FINITE = 255;

/**
 * f16 reaches to 65,504 and an f32 to 3e38, so a chunk is multiplied by a power of two that brings its largest value to between 2¹⁴ and 2¹⁵:
 * nothing overflows, and what is less than 2⁻²⁸ of the largest loses bits and becomes zero in the end. The chunk keeps that value's
 * exponent. One with a value that is not finite comes back as NaN, so that a loss shows it.
 *
 * `pack2x16float` is in WGSL itself: no feature is asked for. Everything is read and written as integers, since a word of two halves
 * may look like a denormal, which a GPU may make zero.
 *
 * It gets what it needs of other modules as arguments. Few browsers fetch this file, and whatever it imported would move out of
 * the chunk that all of them fetch.
 */
export function convert(op: Convert, entry: typeof main, groups: typeof line, work: Work): Kernel {
  const { values, halves } = op;
  const chunks = Math.ceil(values.length / CHUNK);
  const code = `
${op.op === "pack" ? "var<workgroup> top: atomic<u32>;" : ""}
fn beyond(unit: u32) -> vec4<bool> { return vec4u(4u * unit) + vec4u(0u, 1u, 2u, 3u) >= vec4u(${values.length}u); }
fn power(exponent: u32) -> f32 { return bitcast<f32>(exponent << 23u); }
${op.op === "pack" ? PACK : UNPACK}
${entry(
  SIZE,
  `  if (group >= ${chunks}u) { return; }
  let one = group * ${CHUNK / 4}u + lane;
  let two = one + ${SIZE}u;
  let words = at.halves + group * ${CHUNK_UNITS}u;
  ${op.op}(one, two, words, lane);`,
)}`;
  const at = { values: values.offset / 4, halves: halves.offset / 4 };
  return { name: op.op, code, unit: 4, words: "vec4u", at, groups: groups(chunks), work };
}

/** Exponents are biased: 268 − e takes a value of exponent e to 2¹⁴. A maximum has no order, so it may be an atomic's. */
const PACK = `
fn value(unit: u32) -> vec4u { return select(activations[at.values + unit], vec4u(), beyond(unit)); }
fn scaled(unit: vec4u, factor: f32) -> vec2u {
  let x = bitcast<vec4f>(unit) * factor;
  return vec2u(pack2x16float(x.xy), pack2x16float(x.zw));
}
fn pack(one: u32, two: u32, words: u32, lane: u32) {
  let x = value(one);
  let y = value(two);
  let sizes = max(x & vec4u(0x7fffffffu), y & vec4u(0x7fffffffu));
  atomicMax(&top, max(max(sizes.x, sizes.y), max(sizes.z, sizes.w)));
  workgroupBarrier();
  let exponent = atomicLoad(&top) >> 23u;
  let factor = power(min(268u - exponent, 253u));
  activations[words + lane] = vec4u(scaled(x, factor), scaled(y, factor));
  if (lane == 0u) { activations[words + ${SIZE}u] = vec4u(exponent); }
}`;

const UNPACK = `
fn write(unit: u32, words: vec2u, exponent: u32) {
  let outside = beyond(unit);
  if (all(outside)) { return; }
  let factor = power(max(exponent, 15u) - 14u);
  let x = bitcast<vec4u>(vec4f(unpack2x16float(words.x), unpack2x16float(words.y)) * factor);
  let finite = select(x, vec4u(0x7fc00000u), exponent == ${NOT_FINITE}u);
  activations[at.values + unit] = select(finite, activations[at.values + unit], outside);
}
fn unpack(one: u32, two: u32, words: u32, lane: u32) {
  let halves = activations[words + lane];
  let exponent = activations[words + ${SIZE}u].x;
  write(one, halves.xy, exponent);
  write(two, halves.zw, exponent);
}`;
