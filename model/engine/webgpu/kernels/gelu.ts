import type { Gelu } from "../../ops.ts";
import { floatType, index, type Kernel, line, main, type Unit, unitOf } from "./kernel.ts";
import { passOverAll } from "./work.ts";

const SIZE = 64;

/**
 * WGSL: GELU as GPT-2 has it and its slope, in the form x·σ(2u), u = √(2/π)(x + .044715x³), which needs one
 * exponential. Its argument is clamped: an overflow to infinity would make NaN of zero times it.
 */
export function geluFunctions(unit: Unit): string {
  const type = floatType(unit);
  return `
fn gate(x: ${type}) -> ${type} {
  let u = 0.7978845608f * (x + 0.044715f * x * x * x);
  return ${type}(1f) / (${type}(1f) + exp(clamp(-2f * u, ${type}(-80f), ${type}(80f))));
}
fn gelu(x: ${type}) -> ${type} { return x * gate(x); }
fn gelu_slope(x: ${type}) -> ${type} {
  let s = gate(x);
  return s + 2f * 0.7978845608f * x * s * (${type}(1f) - s) * (${type}(1f) + 0.134145f * x * x);
}`;
}

export function gelu(op: Gelu): Kernel {
  const { pre, out } = op;
  const unit = unitOf([pre, out], out.length);
  const count = out.length / unit;
  const code = `${geluFunctions(unit)}${main(
    SIZE,
    `  let i = ${index(SIZE)};
  if (i < ${count}u) { activations[at.out + i] = gelu(activations[at.pre + i]); }`,
  )}`;
  const at = { pre: pre.offset / unit, out: out.offset / unit };
  return { name: "gelu", code, unit, at, groups: line(Math.ceil(count / SIZE)), work: passOverAll(op) };
}
