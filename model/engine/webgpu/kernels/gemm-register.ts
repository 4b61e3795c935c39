import { epilogue, finishTile } from "./epilogue.ts";
import { each, floatType, type Unit } from "./kernel.ts";
import type { Part } from "./part.ts";
import { leadOfA, origin, type Product } from "./product.ts";
import { groupsFor, type Tile } from "./tile.ts";

/**
 * C in register tiles: every invocation computes m × n values and reads its operands straight from memory,
 * without a barrier. Rows past the edge read whatever lies there (WebGPU keeps the reads inside the buffer)
 * and are dropped by `finish`.
 *
 * Shapes measured on SwiftShader only, where a load costs about ten multiplications and a barrier far more.
 */
export function registerGemm(op: Product, tile: Tile, unit: Unit): Part {
  const { m, n, down, across } = tile;
  const body = `
  let column = (x * ${across}u + local_x) * ${n / unit}u;
  let row = (y * ${down}u + local_y) * ${m}u;
  let m = at.m / ${unit}u;
  let n = at.n / ${unit}u;
  let k = at.k / ${unit}u;
  if (row >= at.m || column >= n) { return; }
${{ NN: rowsByRows, NT: dots, TN: columnsByRows }[op.mode](op, tile, unit)}`;
  return {
    op,
    kind: "",
    unit,
    functions: epilogue(op, unit),
    body,
    shared: {},
    size: [across, down, 1],
    tiles: groupsFor(tile, op.rows ?? op.m, op.n),
  };
}

/** The largest number of steps up to `most` that goes into `count` without rest. */
function stepsOf(count: number, most: number): number {
  let steps = most;
  while (count % steps !== 0) steps--;
  return steps;
}

/** Component `i` of a value that holds `unit` of them. */
const part = (value: string, i: number, unit: Unit): string =>
  unit === 4 ? `${value}.${"xyzw".charAt(i)}` : value;

const sums = (m: number, n: number, type: string) =>
  each(m, (i) => each(n, (j) => `  var c_${i}_${j} = ${type}();`));

const sum = (i: number, j: number) => `c_${i}_${j}`;

/** NN: a unit of k at a time; row i of A times row k of B. */
function rowsByRows(op: Product, tile: Tile, unit: Unit): string {
  const columns = tile.n / unit;
  return `${sums(tile.m, columns, floatType(unit))}
${each(tile.m, (i) => `  let row_${i} = ${origin(op, "a", unit)} + (row + ${i}u) * ${leadOfA(op, unit, "k")};`)}
  var b = ${origin(op, "b", unit)} + column;
  for (var step = 0u; step < k; step++) {
${each(tile.m, (i) => `    let a_${i} = ${op.a.arena}[row_${i} + step];`)}
${each(
  unit,
  (c) => `    {
${each(columns, (j) => `      let b_${j} = ${op.b.arena}[b + ${j}u];`)}
${each(tile.m, (i) => each(columns, (j) => `      c_${i}_${j} += ${part(`a_${i}`, c, unit)} * b_${j};`))}
      b += n;
    }`,
)}
  }
${finishTile(tile.m, columns, floatType(unit), sum)}`;
}

/** TN: column i of A times row k of B. B's rows pass by, so the bias gradient is theirs. */
function columnsByRows(op: Product, tile: Tile, unit: Unit): string {
  const columns = tile.n / unit;
  const bias = op.biasGradient !== null;
  const steps = stepsOf(op.k, tile.depth);
  return `${sums(tile.m, columns, floatType(unit))}
${bias ? each(columns, (j) => `  var bias_${j} = ${floatType(unit)}();`) : ""}
  var a = ${origin(op, "a", unit)} + row / ${unit}u;
  var b = ${origin(op, "b", unit)} + column;
  for (var step = 0u; step < at.k; step += ${steps}u) {
${each(
  steps,
  () => `    {
${each(tile.m / unit, (i) => `      let a_${i} = ${op.a.arena}[a + ${i}u];`)}
${each(columns, (j) => `      let b_${j} = ${op.b.arena}[b + ${j}u];`)}
${each(tile.m, (i) =>
  each(columns, (j) => `      c_${i}_${j} += ${part(`a_${Math.floor(i / unit)}`, i % unit, unit)} * b_${j};`),
)}
${bias ? each(columns, (j) => `      bias_${j} += b_${j};`) : ""}
      a += m;
      b += n;
    }`,
)}
  }
${finishTile(tile.m, columns, floatType(unit), sum)}
${bias ? `  if (row == 0u) {\n${each(columns, (j) => `    store_bias(column + ${j}u, bias_${j});`)}\n  }` : ""}`;
}

/** NT: both operands lie along k, so a sum is a dot product. */
function dots(op: Product, tile: Tile, unit: Unit): string {
  const product = (i: number) => (unit === 4 ? `dot(a_${i}, b)` : `a_${i} * b`);
  const value = (i: number, j: number) =>
    unit === 4 ? `vec4f(${[0, 1, 2, 3].map((c) => `c_${i}_${4 * j + c}`).join(", ")})` : `c_${i}_${j}`;
  return `${sums(tile.m, tile.n, "f32")}
${each(tile.m, (i) => `  let row_${i} = ${origin(op, "a", unit)} + (row + ${i}u) * k;`)}
${each(tile.n, (j) => `  let column_${j} = ${origin(op, "b", unit)} + (column * ${unit}u + ${j}u) * k;`)}
  for (var step = 0u; step < k; step++) {
${each(tile.m, (i) => `    let a_${i} = ${op.a.arena}[row_${i} + step];`)}
${each(
  tile.n,
  (j) => `    {
      let b = ${op.b.arena}[column_${j} + step];
${each(tile.m, (i) => `      c_${i}_${j} += ${product(i)};`)}
    }`,
)}
  }
${finishTile(tile.m, tile.n / unit, floatType(unit), value)}`;
}
