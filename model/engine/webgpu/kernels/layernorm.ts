import type { LayerNorm, LayerNormBackward } from "../../ops.ts";
import { type Kernel, line, main } from "./kernel.ts";
import { groupsOf, locate, plus, type Rows, reducer, sizeOf, tree } from "./rows.ts";
import { passOverAll } from "./work.ts";

/** Two passes over the row, mean first: the variance of numbers far from zero keeps its digits. */
export function layerNorm(op: LayerNorm, rows: Rows): Kernel {
  const { width } = op;
  const size = sizeOf(rows);
  const columns = `var c = part; c < ${width}u; c += ${rows.lanes}u`;
  const code = `
${reducer("sum", rows, plus)}
${main(
  size,
  `${locate(rows, op.rows, size)}
  let base = at.x + row * ${width}u;
  let to = at.out + row * ${width}u;
  var total = 0f;
  for (${columns}) { total += activations[base + c]; }
  let mean = reduce_sum(total, lane) / ${width}f;
  var spread = 0f;
  for (${columns}) { let d = activations[base + c] - mean; spread += d * d; }
  let rho = 1f / sqrt(reduce_sum(spread, lane) / ${width}f + 1e-5f);
  if (!live) { return; }
  for (${columns}) {
    activations[to + c] = (activations[base + c] - mean) * rho * parameters[at.weight + c] + parameters[at.bias + c];
  }
  if (part == 0u) {
    activations[at.stats + 2u * row] = mean;
    activations[at.stats + 2u * row + 1u] = rho;
  }`,
)}`;
  const at = {
    x: op.x.offset,
    weight: op.weight.offset,
    bias: op.bias.offset,
    out: op.out.offset,
    stats: op.stats.offset,
  };
  const groups = line(groupsOf(rows, op.rows));
  return { name: "layernorm", code, unit: 1, at, groups, work: passOverAll(op) };
}

/** Lanes that share a column's rows, on a GPU. Neighbours have neighbouring columns, whose values lie side by side. */
export const COLUMN_LANES = 16;

/**
 * The first workgroups take rows (dx), the rest columns (weight and bias gradients): neither needs the other,
 * so both fit one dispatch.
 */
export function layerNormBackward(op: LayerNormBackward, rows: Rows): Kernel {
  const { width } = op;
  const size = sizeOf(rows);
  const rowGroups = groupsOf(rows, op.rows);
  const depth = rows.lanes === 1 ? 1 : COLUMN_LANES;
  const across = size / depth;
  const columns = `var c = part; c < ${width}u; c += ${rows.lanes}u`;
  const store = (to: string, value: string) => `gradients[${to}] ${op.accumulate ? "+=" : "="} ${value};`;
  const sumOfColumn = (value: string) =>
    depth === 1 ? value : `reduce_column(${value}, lane % ${across}u * ${depth}u + part)`;
  const code = `
${reducer("sum", rows, plus)}
${depth === 1 ? "" : tree("reduce_column", size, depth, plus)}
fn over_rows(group: u32, lane: u32) {
  ${locate(rows, op.rows, size)}
  let base = row * ${width}u;
  let mean = activations[at.stats + 2u * row];
  let rho = activations[at.stats + 2u * row + 1u];
  var sum = 0f;
  var along = 0f;
  for (${columns}) {
    let d = activations[at.dOut + base + c] * parameters[at.weight + c];
    sum += d;
    along += d * (activations[at.x + base + c] - mean) * rho;
  }
  let center = reduce_sum(sum, lane) / ${width}f;
  let slope = reduce_sum(along, lane) / ${width}f;
  if (!live) { return; }
  for (${columns}) {
    let d = activations[at.dOut + base + c] * parameters[at.weight + c];
    let hat = (activations[at.x + base + c] - mean) * rho;
    activations[at.dx + base + c] ${op.residual ? "+=" : "="} rho * (d - center - hat * slope);
  }
}
fn over_columns(group: u32, lane: u32) {
  let place = group * ${across}u + lane % ${across}u;
  let part = lane / ${across}u;
  let column = min(place, ${width - 1}u);
  var weight = 0f;
  var bias = 0f;
  for (var row = part; row < ${op.rows}u; row += ${depth}u) {
    let d = activations[at.dOut + row * ${width}u + column];
    let hat = (activations[at.x + row * ${width}u + column] - activations[at.stats + 2u * row])
      * activations[at.stats + 2u * row + 1u];
    weight += d * hat;
    bias += d;
  }
  let dWeight = ${sumOfColumn("weight")};
  let dBias = ${sumOfColumn("bias")};
  if (place < ${width}u && part == 0u) {
    ${store("at.dWeight + column", "dWeight")}
    ${store("at.dBias + column", "dBias")}
  }
}
${main(size, `  if (group < ${rowGroups}u) { over_rows(group, lane); } else { over_columns(group - ${rowGroups}u, lane); }`)}`;
  const at = {
    x: op.x.offset,
    stats: op.stats.offset,
    weight: op.weight.offset,
    dOut: op.dOut.offset,
    dx: op.dx.offset,
    dWeight: op.dWeight.offset,
    dBias: op.dBias.offset,
  };
  const groups = line(rowGroups + Math.ceil(width / across));
  return { name: "layernorm-backward", code, unit: 1, at, groups, work: passOverAll(op) };
}
