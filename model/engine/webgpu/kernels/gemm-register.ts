import type { Gemm } from "../../ops.ts";
import { each, floatType, type Kernel, type Unit } from "../kernel.ts";
import { epilogue, finishTile, places } from "./epilogue.ts";
import type { Tile } from "./tile.ts";

/**
 * C in register tiles: every invocation computes m × n values and reads its operands straight from memory,
 * without a barrier. Rows past the edge read whatever lies there (WebGPU keeps the reads inside the buffer)
 * and are dropped by `finish`.
 *
 * Shapes measured on SwiftShader only, where a load costs about ten multiplications and a barrier far more.
 */
export function registerGemm(op: Gemm, tile: Tile, unit: Unit): Kernel {
  const body = { NN: rowsByRows, NT: dots, TN: columnsByRows }[op.mode](op, tile, unit);
  const code = `${epilogue(op, unit)}
@compute @workgroup_size(${tile.across}, ${tile.down})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x * ${tile.n / unit}u;
  let row = id.y * ${tile.m}u;
  if (row >= ${op.m}u || column >= ${op.n / unit}u) { return; }
${body}
}`;
  const groups = [Math.ceil(op.n / (tile.n * tile.across)), Math.ceil(op.m / (tile.m * tile.down))] as const;
  return { name: `gemm-${op.mode}`, code, unit, at: places(op, unit), groups };
}

/** The largest number of steps up to `most` that goes into `count` without rest. */
function stepOf(count: number, most: number): number {
  let step = Math.max(1, Math.floor(most));
  while (count % step !== 0) step--;
  return step;
}

/** Component `i` of a value that holds `unit` of them. */
const part = (value: string, i: number, unit: Unit): string =>
  unit === 4 ? `${value}.${"xyzw".charAt(i)}` : value;

const sums = (m: number, n: number, type: string) =>
  each(m, (i) => each(n, (j) => `  var c_${i}_${j} = ${type}();`));

const sum = (i: number, j: number) => `c_${i}_${j}`;

/** NN: a unit of k at a time; row i of A times row k of B. */
function rowsByRows(op: Gemm, tile: Tile, unit: Unit): string {
  const columns = tile.n / unit;
  const step = stepOf(op.k / unit, tile.depth / unit);
  return `${sums(tile.m, columns, floatType(unit))}
  var a = at.a + row * ${op.k / unit}u;
  var b = at.b + column;
  for (var k = 0u; k < ${op.k / unit}u; k += ${step}u) {
${each(
  step,
  (s) => `    {
${each(tile.m, (i) => `      let a_${i} = ${op.a.arena}[a + ${(i * op.k) / unit + s}u];`)}
${each(
  unit,
  (c) => `      {
${each(columns, (j) => `        let b_${j} = ${op.b.arena}[b + ${((s * unit + c) * op.n) / unit + j}u];`)}
${each(tile.m, (i) => each(columns, (j) => `        c_${i}_${j} += ${part(`a_${i}`, c, unit)} * b_${j};`))}
      }`,
)}
    }`,
)}
    a += ${step}u;
    b += ${step * op.n}u;
  }
${finishTile(tile.m, columns, floatType(unit), sum)}`;
}

/** TN: one k at a time; column i of A times row k of B. B's rows pass by, so the bias gradient is theirs. */
function columnsByRows(op: Gemm, tile: Tile, unit: Unit): string {
  const columns = tile.n / unit;
  const bias = op.biasGradient !== null;
  const step = stepOf(op.k, tile.depth);
  return `${sums(tile.m, columns, floatType(unit))}
${bias ? each(columns, (j) => `  var bias_${j} = ${floatType(unit)}();`) : ""}
  var a = at.a + row / ${unit}u;
  var b = at.b + column;
  for (var k = 0u; k < ${op.k}u; k += ${step}u) {
${each(
  step,
  (s) => `    {
${each(tile.m / unit, (i) => `      let a_${i} = ${op.a.arena}[a + ${(s * op.m) / unit + i}u];`)}
${each(columns, (j) => `      let b_${j} = ${op.b.arena}[b + ${(s * op.n) / unit + j}u];`)}
${each(tile.m, (i) =>
  each(columns, (j) => `      c_${i}_${j} += ${part(`a_${Math.floor(i / unit)}`, i % unit, unit)} * b_${j};`),
)}
${bias ? each(columns, (j) => `      bias_${j} += b_${j};`) : ""}
    }`,
)}
    a += ${(step * op.m) / unit}u;
    b += ${(step * op.n) / unit}u;
  }
${finishTile(tile.m, columns, floatType(unit), sum)}
${bias ? `  if (row == 0u) {\n${each(columns, (j) => `    store_bias(column + ${j}u, bias_${j});`)}\n  }` : ""}`;
}

/** NT: both operands lie along k, so a sum is a dot product. */
function dots(op: Gemm, tile: Tile, unit: Unit): string {
  const stride = op.k / unit;
  const product = (i: number, j: number) => (unit === 4 ? `dot(a_${i}, b_${j})` : `a_${i} * b_${j}`);
  const value = (i: number, j: number) =>
    unit === 4 ? `vec4f(${[0, 1, 2, 3].map((c) => `c_${i}_${4 * j + c}`).join(", ")})` : `c_${i}_${j}`;
  const step = stepOf(stride, tile.depth / unit);
  return `${sums(tile.m, tile.n, "f32")}
  var a = at.a + row * ${stride}u;
  var b = at.b + column * ${unit * stride}u;
  for (var k = 0u; k < ${stride}u; k += ${step}u) {
${each(
  step,
  (s) => `    {
${each(tile.m, (i) => `      let a_${i} = ${op.a.arena}[a + ${i * stride + s}u];`)}
${each(
  tile.n,
  (j) => `      { let b_${j} = ${op.b.arena}[b + ${j * stride + s}u];
${each(tile.m, (i) => `        c_${i}_${j} += ${product(i, j)};`)}
      }`,
)}
    }`,
)}
    a += ${step}u;
    b += ${step}u;
  }
${finishTile(tile.m, tile.n / unit, floatType(unit), value)}`;
}
