import type { Gemm } from "../../ops.ts";
import { geluFunctions } from "./gelu.ts";
import { each, type Unit } from "./kernel.ts";

/**
 * WGSL: `finish(row, column, value)` does all that follows the product and stores it; `column` counts units.
 * `store_bias(column, value)` exists where the op has a bias gradient.
 */
export function epilogue(op: Gemm, unit: Unit): string {
  const type = unit === 4 ? "vec4f" : "f32";
  const gradient = (arena: string, at: string) =>
    `${arena}[${at}] = value${op.accumulate ? ` + ${arena}[${at}]` : ""};`;
  const lines = [
    op.bias && `value += ${op.bias.arena}[at.bias + column];`,
    op.residual && `value += ${op.residual.arena}[at.residual + place];`,
    op.activation === "gelu" && op.pre && `${op.pre.arena}[at.pre + place] = value;`,
    op.activation === "gelu" && "value = gelu(value);",
    op.activation === "gelu-backward" && op.pre && `value *= gelu_slope(${op.pre.arena}[at.pre + place]);`,
    gradient(op.out.arena, "at.out + place"),
  ];
  return `${op.activation === "none" ? "" : geluFunctions(unit)}
fn finish(row: u32, column: u32, product: ${type}) {
  let stride = at.n / ${unit}u;
  if (row >= at.m || column >= stride) { return; }
  let place = row * stride + column;
  var value = product;
  ${lines.filter((line) => typeof line === "string").join("\n  ")}
}
${
  op.biasGradient
    ? `fn store_bias(column: u32, value: ${type}) {
  if (column < at.n / ${unit}u) { ${gradient(op.biasGradient.arena, "at.biasGradient + column")} }
}`
    : ""
}`;
}

/**
 * WGSL: finishes an invocation's whole tile, which goes through an array so that `finish` is there once, not m × n times: SwiftShader inlines every call,
 * and compiling then takes seconds more. Others unroll the loop.
 */
export const finishTile = (
  m: number,
  columns: number,
  type: string,
  value: (i: number, j: number) => string,
): string => `
  var tile: array<${type}, ${m * columns}>;
${each(m, (i) => each(columns, (j) => `  tile[${i * columns + j}] = ${value(i, j)};`))}
  for (var i = 0u; i < ${m * columns}u; i++) {
    finish(row + i / ${columns}u, column + i % ${columns}u, tile[i]);
  }`;

/**
 * Where the operands lie, in units, and the sides, in values: not constants, so that products that differ in
 * size only are compiled once.
 */
export function places(op: Gemm, unit: Unit): Record<string, number> {
  const { a, b, out, bias, residual, pre, biasGradient } = op;
  const all = { a, b, out, bias, residual, pre, biasGradient };
  const at: Record<string, number> = { m: op.m, n: op.n, k: op.k };
  for (const [name, slot] of Object.entries(all)) if (slot) at[name] = slot.offset / unit;
  return at;
}
