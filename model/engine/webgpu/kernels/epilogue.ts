import { geluFunctions } from "./gelu.ts";
import { each, f32Bits, type Unit } from "./kernel.ts";
import { matrixVariable, type Product } from "./product.ts";

/**
 * WGSL: `finish(row, column, value)` does all that follows the product and stores it; `column` counts units.
 * `store_bias(column, value)` exists where the op has a bias gradient.
 */
export function epilogue(op: Product, unit: Unit): string {
  const type = unit === 4 ? "vec4f" : "f32";
  const gradient = (arena: string, at: string) =>
    `${arena}[${at}] = value${op.accumulate ? ` + ${arena}[${at}]` : ""};`;
  const lines = [
    op.bias && `value += ${op.bias.arena}[at.bias + column];`,
    op.batch && "value *= bitcast<f32>(at.product);",
    op.residual &&
      `value += ${op.batch ? "bitcast<f32>(at.rest) * " : ""}${op.residual.arena}[at.residual + place];`,
    op.activation === "gelu" && op.pre && `${op.pre.arena}[at.pre + place] = value;`,
    op.activation === "gelu" && "value = gelu(value);",
    op.activation === "gelu-backward" && op.pre && `value *= gelu_slope(${op.pre.arena}[at.pre + place]);`,
    gradient(op.out.arena, "at.out + place"),
  ];
  const isWide = op.mode === "NT" && op.lead !== undefined;
  const row = op.batch ? "(matrix * at.m + row)" : "row";
  return `${matrixVariable(op)}${op.activation === "none" ? "" : geluFunctions(unit)}
fn finish(row: u32, column: u32, product: ${type}) {
  let stride = at.${isWide ? "lead" : "n"} / ${unit}u;
  if (row >= at.${op.rows === undefined ? "m" : "rows"} || column >= ${isWide ? `at.n / ${unit}u` : "stride"}) { return; }
  let place = ${row} * stride + column;
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
export function places(op: Product, unit: Unit): Record<string, number> {
  const { a, b, out, bias, residual, pre, biasGradient, batch } = op;
  const all = { a, b, out, bias, residual, pre, biasGradient };
  const at: Record<string, number> = { m: op.m, n: op.n, k: op.k };
  for (const [name, slot] of Object.entries(all)) if (slot) at[name] = slot.offset / unit;
  if (op.rows !== undefined) at.rows = op.rows;
  if (op.lead !== undefined) at.lead = op.lead;
  if (batch) Object.assign(at, { product: f32Bits(batch.product), rest: f32Bits(batch.residual) });
  return at;
}
