import type { CodecSpec, MidriseBits } from "../../../../protocol/codec/codec.ts";
import { MIDRISE_SPAN } from "../../extraction-ops.ts";
import { main as entryPoint, f32, index, line } from "./kernel.ts";

/** These kernels are never split, and have no `at`. */
const main = (size: number, body: string): string => entryPoint(size, body, "0u");

/**
 * WGSL of what happens once a ticket (ops.ts: Collect and Encode). It has bindings of its own, since a training
 * step's already are as many as every adapter allows. Codes and scales come out as whole words; the host packs
 * them (extraction.ts). Integer comparisons and exact products alone decide a bit, never a quotient: WGSL's
 * division may be off by 2.5 units in the last place.
 */
export interface ExtractionKernel {
  readonly name: string;
  readonly code: string;
  readonly groups: readonly [number, number];
}

const SIZE = 64;
/** Values that share a scale in a dense payload. */
export const BLOCK = 64;
/** Stands for the scale of a block with a value that is not finite. */
export const NOT_FINITE = 0x7fff;

const BINDINGS = `
@group(0) @binding(0) var<storage, read_write> loaded: array<f32>;
@group(0) @binding(1) var<storage, read_write> parameters: array<f32>;
@group(0) @binding(2) var<storage, read_write> residual: array<f32>;
@group(0) @binding(3) var<storage, read_write> plus: array<f32>;
@group(0) @binding(4) var<storage, read_write> words: array<u32>;
@group(0) @binding(5) var<uniform> factor: vec4f;`;

/** Some of a vector's values: how many, and where they begin in the parts that are bound (vectors.ts). */
export interface Run {
  readonly length: number;
  /** In loaded, parameters and plus. */
  readonly weights: number;
  readonly residual: number;
}

/** `body` reads value j of the vectors of weights, and writes value r of the residual. */
const each = (name: string, { length, weights, residual }: Run, body: string): ExtractionKernel => ({
  name,
  code: `${BINDINGS}${main(SIZE, `  let i = ${index(SIZE)};\n  if (i >= ${length}u) { return; }\n  let j = i + ${weights}u;\n  let r = i + ${residual}u;\n${body}`)}`,
  groups: line(Math.ceil(length / SIZE)),
});

/** residual = (loaded − parameters) + residual */
export const collect = (run: Run): ExtractionKernel =>
  each("collect", run, "  residual[r] = (loaded[j] - parameters[j]) + residual[r];");

/** residual = factor·residual; a factor of 0 forgets it whatever it held. */
export const scale = (run: Run): ExtractionKernel =>
  each("scale", run, "  residual[r] = select(residual[r] * factor.x, 0f, factor.x == 0f);");

/** residual = residual + plus. A dispatch of its own: fused with the product it would round once, not twice. */
export const add = (run: Run): ExtractionKernel => each("add", run, "  residual[r] = residual[r] + plus[j];");

/** Where in `words` the scales end, and how many words there are. */
export interface WordMap {
  readonly scales: number;
  readonly total: number;
}

/** Dense and mid-rise: two scales a word, then each block's codes. Top-k: a scale a word, then place | code << 16 an entry. */
export function wordMap(codec: CodecSpec, length: number): WordMap {
  switch (codec.name) {
    case "f32":
      return { scales: 0, total: length };
    case "dense":
    case "midrise": {
      const blocks = Math.ceil(length / BLOCK);
      const scales = Math.ceil(blocks / 2);
      return { scales, total: scales + blocks * 2 * codec.bits };
    }
    case "topk": {
      const scales = Math.ceil(length / codec.chunk);
      return { scales, total: scales + scales * codec.k };
    }
  }
}

/** `most`: scales in what is largest. */
const scaling = (most: number): string => `${BINDINGS}
fn size_of(i: u32) -> u32 { return bitcast<u32>(residual[i]) & 0x7fffffffu; }
fn bf16(bits: u32) -> f32 { return bitcast<f32>(bits << 16u); }

/* the smallest bf16 b with b × ${most} >= the magnitude of those bits */
fn scale_of(bits: u32) -> u32 {
  if (bits >= 0x7f800000u) { return ${NOT_FINITE}u; }
  let size = bitcast<f32>(bits);
  if (size < ${f32(most * 2 ** -100)}) { return 0u; }
  var high = (bitcast<u32>(size / ${f32(most)}) + 0xffffu) >> 16u;
  if (bf16(high) * ${f32(most)} < size) { high++; } else if (bf16(high - 1u) * ${f32(most)} >= size) { high--; }
  return min(high, 0x7f7fu);
}
`;

const functions = (bits: number): string => {
  const most = 2 ** (bits - 1) - 1;
  return `${scaling(most)}
/* the nearest code, halves going up; residual keeps what it leaves out, exactly */
fn quantise(i: u32, scale: f32) -> u32 {
  let value = residual[i];
  var code = round(value / scale);
  let rest = value - code * scale;
  let half = scale * 0.5f;
  code += select(0f, 1f, rest >= half) - select(0f, 1f, rest < -half);
  code = clamp(code, ${f32(-most)}, ${f32(most)});
  residual[i] = value - code * scale;
  return u32(i32(code)) & ${2 ** bits - 1}u;
}`;
};

/** The codec's scales and codes; undefined for f32, which needs no kernel. */
export function encode(codec: CodecSpec, length: number): ExtractionKernel | undefined {
  if (codec.name === "f32") return undefined;
  const { scales } = wordMap(codec, length);
  const code = codec.name === "topk" ? topK(codec, length, scales) : blocks(codec, length, scales);
  return { name: Object.values(codec).join("-"), code, groups: line(Math.ceil(scales / SIZE)) };
}

/** The code of a value, by comparisons that are exact. residual keeps what it leaves out, exactly. */
const midrise = (bits: MidriseBits): string => {
  const middle = 2 ** (bits - 1);
  const steps = Array.from({ length: 2 * middle - 1 }, (_, i) => i + 1 - middle);
  return `${scaling(MIDRISE_SPAN[bits])}
fn quantise(i: u32, scale: f32) -> u32 {
  let value = residual[i];
  let step = 2f * scale;
  let code = ${steps.map((at) => `select(0u, 1u, value >= ${f32(at)} * step)`).join(" + ")};
  residual[i] = value - (2f * f32(code) - ${f32(2 * middle - 1)}) * scale;
  return code;
}`;
};

/** An invocation takes two blocks, whose scales share a word; a code of three bits may lie over the end of one. */
function blocks(
  codec: Extract<CodecSpec, { name: "dense" | "midrise" }>,
  length: number,
  scales: number,
): string {
  const { bits } = codec;
  return `${codec.name === "dense" ? functions(codec.bits) : midrise(codec.bits)}
${main(
  SIZE,
  `  let pair = ${index(SIZE)};
  if (pair >= ${scales}u) { return; }
  var both = 0u;
  for (var k = 0u; k < 2u; k++) {
    let block = pair * 2u + k;
    let first = block * ${BLOCK}u;
    if (first >= ${length}u) { break; }
    let end = min(first + ${BLOCK}u, ${length}u);
    var largest = 0u;
    for (var i = first; i < end; i++) { largest = max(largest, size_of(i)); }
    let code16 = scale_of(largest);
    both |= code16 << (16u * k);
    var word = ${scales}u + block * ${2 * bits}u;
    var packed = 0u;
    var filled = 0u;
    for (var i = first; i < first + ${BLOCK}u; i++) {
      var code = 0u;
      if (i < end && code16 != 0u && code16 != ${NOT_FINITE}u) { code = quantise(i, bf16(code16)); }
      packed |= code << filled;
      filled += ${bits}u;
      if (filled >= 32u) {
        words[word] = packed;
        word++;
        filled -= 32u;
        packed = code >> (${bits}u - filled);
      }
    }
  }
  words[pair] = both;`,
)}`;
}

/**
 * An invocation takes a chunk: it finds the k-th largest magnitude bit by bit, from the highest, then walks the
 * chunk once in order. Once a ticket and a few thousand values each: the walk costs less than sharing it would.
 */
function topK(
  { bits, chunk, k }: Extract<CodecSpec, { name: "topk" }>,
  length: number,
  scales: number,
): string {
  return `${functions(bits)}
${main(
  SIZE,
  `  let chunk = ${index(SIZE)};
  if (chunk >= ${scales}u) { return; }
  let first = chunk * ${chunk}u;
  let end = min(first + ${chunk}u, ${length}u);
  let wanted = min(${k}u, end - first);
  var largest = 0u;
  for (var i = first; i < end; i++) { largest = max(largest, size_of(i)); }
  let code16 = scale_of(largest);
  words[chunk] = code16;
  if (code16 == ${NOT_FINITE}u) { return; }
  var least = 0u;
  if (wanted < end - first) {
    for (var bit = 0x40000000u; bit > 0u; bit >>= 1u) {
      let tried = least | bit;
      if (tried > largest) { continue; }
      var above = 0u;
      for (var i = first; i < end; i++) { above += select(0u, 1u, size_of(i) >= tried); }
      if (above >= wanted) { least = tried; }
    }
  }
  var equal = wanted;
  for (var i = first; i < end; i++) { equal -= select(0u, 1u, size_of(i) > least); }
  var at = ${scales}u + chunk * ${k}u;
  for (var i = first; i < end; i++) {
    let size = size_of(i);
    if (size < least) { continue; }
    if (size == least) {
      if (equal == 0u) { continue; }
      equal--;
    }
    var code = 0u;
    if (code16 != 0u) { code = quantise(i, bf16(code16)); }
    words[at] = (i - first) | (code << 16u);
    at++;
  }`,
)}`;
}
