import { epilogue } from "./epilogue.ts";
import { each } from "./kernel.ts";
import type { Part } from "./part.ts";
import { leadOfA, origin, type Product } from "./product.ts";
import type { Tile } from "./tile.ts";

/**
 * C in register tiles that four neighbouring invocations (a quad of a subgroup) make together: each has columns
 * of its own and the same rows, loads a quarter of A's rows, and gets the other three quarters by quad swaps, so
 * that a load of A serves four. Lane l receives in swap s what lane l ⊕ s loaded: its sums for s are of that
 * quarter's rows, and only `finish` has to know. No barrier, no workgroup memory.
 *
 * Needs the feature `subgroups`. Quads are taken to be invocations 4q … 4q + 3 of a workgroup in a line, as every
 * implementation has it; where one did not, the known-gradient check would refuse the device. On SwiftShader,
 * where four values loaded cost as much as fifty multiplied, 32×8 does 3.2 GFLOP/s a core; without quads 2.2.
 */
export function quadGemm(op: Product, tile: Tile): Part {
  const { m: rows, n, down, across } = tile;
  const columns = n / 4;
  const quarter = rows / 4;
  const bias = op.biasGradient !== null;
  const sums = { NN: rowsByRows, NT: dots, TN: columnsByRows }[op.mode](op, tile);
  const value = (i: number, j: number) =>
    op.mode === "NT" ? `vec4f(${[0, 1, 2, 3].map((c) => `c_${i}_${4 * j + c}`).join(", ")})` : `c_${i}_${j}`;
  const body = `
  let lane = index & 3u;
  let quad = index >> 2u;
  let row = (y * ${down}u + quad / ${across}u) * ${rows}u;
  let column = ((x * ${across}u + quad % ${across}u) * 4u + lane) * ${columns}u;
  let m = at.m / 4u;
  let n = at.n / 4u;
  let k = at.k / 4u;
${sums}
  var tile: array<vec4f, ${rows * columns}>;
${each(rows, (i) => each(columns, (j) => `  tile[${i * columns + j}] = ${value(i, j)};`))}
  for (var i = 0u; i < ${rows}u; i++) {
    let at_row = row + ((i / ${quarter}u) ^ lane) * ${quarter}u + i % ${quarter}u;
${each(columns, (j) => `    finish(at_row, column + ${j}u, tile[i * ${columns}u + ${j}u]);`)}
  }
${bias ? `  if (row == 0u) {\n${each(columns, (j) => `    store_bias(column + ${j}u, bias_${j});`)}\n  }` : ""}`;
  return {
    op,
    kind: "-quad",
    unit: 4,
    functions: epilogue(op, 4),
    body,
    shared: {},
    size: [4 * down * across, 1, 1],
    tiles: [Math.ceil(op.n / (4 * n * across)), Math.ceil((op.rows ?? op.m) / (rows * down))],
    subgroups: true,
  };
}

/** Turns of k, of four values in modes NN and NT and of one in TN, between two tests of the loop. */
const TURNS = 4;

const SWAPS = ["", "quadSwapX", "quadSwapY", "quadSwapDiagonal"] as const;

/** WGSL: what lane ⊕ s has in `name`. */
const swapped = (s: number, name: string): string => (s === 0 ? name : `${SWAPS[s]}(${name})`);

const sums = (m: number, n: number, type: string) =>
  each(m, (i) => each(n, (j) => `  var c_${i}_${j} = ${type}();`));

/** WGSL: where the rows of A that this lane loads begin. */
const ownRows = (op: Product, quarter: number): string =>
  each(
    quarter,
    (r) =>
      `  let row_${r} = ${origin(op, "a", 4)} + (row + lane * ${quarter}u + ${r}u) * ${leadOfA(op, 4, "k")};`,
  );

/** NN: four values of k at a time; row i of A times rows k of B. */
function rowsByRows(op: Product, { m, n }: Tile): string {
  const [columns, quarter] = [n / 4, m / 4];
  return `${sums(m, columns, "vec4f")}
${ownRows(op, quarter)}
  var b = ${origin(op, "b", 4)} + column;
  for (var step = 0u; step < k; step++) {
${each(4, (c) => each(columns, (j) => `    let b_${c}_${j} = ${op.b.arena}[b + ${j}u + ${c}u * n];`))}
${each(quarter, (r) => `    let own_${r} = ${op.a.arena}[row_${r} + step];`)}
${each(4, (s) =>
  each(quarter, (r) => {
    const i = s * quarter + r;
    return `    let a_${i} = ${swapped(s, `own_${r}`)};
${each(4, (c) => each(columns, (j) => `    c_${i}_${j} += a_${i}.${"xyzw".charAt(c)} * b_${c}_${j};`))}`;
  }),
)}
    b += 4u * n;
  }`;
}

/** NT: both operands lie along k, so a sum is a dot product. */
function dots(op: Product, { m, n }: Tile): string {
  const quarter = m / 4;
  return `${sums(m, n, "f32")}
${ownRows(op, quarter)}
${each(n, (j) => `  let column_${j} = ${origin(op, "b", 4)} + (column * 4u + ${j}u) * k;`)}
  for (var step = 0u; step < k; step++) {
${each(n, (j) => `    let b_${j} = ${op.b.arena}[column_${j} + step];`)}
${each(quarter, (r) => `    let own_${r} = ${op.a.arena}[row_${r} + step];`)}
${each(4, (s) =>
  each(quarter, (r) => {
    const i = s * quarter + r;
    return `    let a_${i} = ${swapped(s, `own_${r}`)};
${each(n, (j) => `    c_${i}_${j} += dot(a_${i}, b_${j});`)}`;
  }),
)}
  }`;
}

/** TN: columns of A times row k of B. B's rows pass by, so the bias gradient is theirs. */
function columnsByRows(op: Product, { m, n }: Tile): string {
  const [columns, units] = [n / 4, m / 16];
  const bias = op.biasGradient !== null;
  let turns = TURNS;
  while (op.k % turns !== 0) turns--;
  return `${sums(m, columns, "vec4f")}
${bias ? each(columns, (j) => `  var bias_${j} = vec4f();`) : ""}
  var a = ${origin(op, "a", 4)} + row / 4u + lane * ${units}u;
  var b = ${origin(op, "b", 4)} + column;
  for (var step = 0u; step < at.k; step += ${turns}u) {
${each(
  turns,
  () => `    {
${each(columns, (j) => `      let b_${j} = ${op.b.arena}[b + ${j}u];`)}
${each(units, (u) => `      let own_${u} = ${op.a.arena}[a + ${u}u];`)}
${each(4, (s) =>
  each(units, (u) => {
    const first = (s * units + u) * 4;
    return `      let a_${s}_${u} = ${swapped(s, `own_${u}`)};
${each(4, (c) => each(columns, (j) => `      c_${first + c}_${j} += a_${s}_${u}.${"xyzw".charAt(c)} * b_${j};`))}`;
  }),
)}
${bias ? each(columns, (j) => `      bias_${j} += b_${j};`) : ""}
      a += m;
      b += n;
    }`,
)}
  }`;
}
