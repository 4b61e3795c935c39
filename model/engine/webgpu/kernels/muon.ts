import { MOMENTUM } from "../../../contract/muon.ts";
import type { MuonStep, Slot } from "../../ops.ts";
import { f32, f32Bits, type Kernel, line, main, type Work } from "./kernel.ts";
import { plus, tree } from "./rows.ts";
import { clipOf } from "./update.ts";
import { passOver } from "./work.ts";

/** `count` matrices that are read as [n, m]; their entries begin at word `table` of the tokens' arena (muonTable). */
export interface Matrices {
  readonly n: number;
  readonly m: number;
  readonly count: number;
  readonly table: number;
}

const SIZE = 64;
/** Values an invocation takes. */
const EACH = 16;
/** Sums of squares of one matrix: each workgroup of {@link scale} adds them up for itself. */
const MAX_LANES = 1024;

/** Invocations that {@link momentum} gives a matrix of this many values, each of which leaves a sum of squares. */
export const lanesOf = (values: number): number =>
  Math.min(MAX_LANES, Math.ceil(values / (SIZE * EACH)) * SIZE);

/**
 * WGSL: value i of a matrix in the order in which it lies among the weights: `place` there, and `own` in a dense [n, m].
 * A matrix that is higher than wide is turned on the way, so that its neighbours are read side by side.
 */
const locate = `
fn locate(matrix: u32, i: u32) -> vec2u {
  let entry = at.table + 3u * matrix;
  let high = tokens[entry + 2u] == 1u;
  let columns = select(at.m, at.n, high);
  let row = i / columns;
  let column = i % columns;
  let own = select(i, column * at.m + row, high);
  return vec2u(tokens[entry] + row * tokens[entry + 1u] + column, matrix * at.n * at.m + own);
}`;

/** m ← μm + (1 − μ)g, x = (1 − μ)g + μm, and sums of x's squares, one an invocation. */
export function momentum(op: MuonStep, matrices: Matrices, x: Slot, sums: Slot): Kernel {
  const { n, m, count, table } = matrices;
  const code = `${locate}
${main(
  SIZE,
  `${clipOf(op.clip, "activations[at.norm]")}
  let first = group * ${SIZE}u + lane;
  var total = 0f;
  for (var i = first; i < at.n * at.m; i += at.lanes) {
    let found = locate(id.z, i);
    let g = ${f32(1 - MOMENTUM)} * (gradients[found.x] * clip);
    let mean = ${f32(MOMENTUM)} * m[found.x] + g;
    let value = g + ${f32(MOMENTUM)} * mean;
    m[found.x] = mean;
    activations[at.x + found.y] = value;
    total += value * value;
  }
  activations[at.sums + id.z * at.lanes + first] = total;`,
)}`;
  const lanes = lanesOf(n * m);
  const at = { n, m, table, lanes, norm: op.partials.offset, x: x.offset, sums: sums.offset };
  return {
    name: "muon-momentum",
    code,
    unit: 1,
    at,
    groups: [lanes / SIZE, 1, count],
    work: pass(matrices, 4),
  };
}

/** x ← x ÷ ‖x‖. Zeros stay zeros, and what is no number shows. */
export function scale({ n, m, count }: Matrices, x: Slot, sums: Slot): Kernel {
  const values = n * m;
  const code = `
${tree("reduce_sum", SIZE, SIZE, plus)}
${main(
  SIZE,
  `  var total = 0f;
  for (var i = lane; i < at.lanes; i += ${SIZE}u) { total += activations[at.sums + id.z * at.lanes + i]; }
  let norm = sqrt(reduce_sum(total, lane));
  let factor = select(1f / norm, 0f, norm == 0f);
  for (var k = 0u; k < ${EACH}u; k++) {
    let i = (group * ${EACH}u + k) * ${SIZE}u + lane;
    if (i >= at.values) { return; }
    activations[at.x + id.z * at.values + i] *= factor;
  }`,
)}`;
  const at = { values, lanes: lanesOf(values), x: x.offset, sums: sums.offset };
  return { name: "muon-scale", code, unit: 1, at, groups: groupsOf(values, count), work: passOver(x, x) };
}

/** W ← W × (1 − rate × decay) − rate × scale × turned. */
export function apply(op: MuonStep, matrices: Matrices, turned: Slot, scale: number): Kernel {
  const { n, m, count, table } = matrices;
  const code = `${locate}
${main(
  SIZE,
  `  let kept = 1f - dynamics.rate * ${f32(op.weightDecay)};
  let step = dynamics.rate * bitcast<f32>(at.scale);
  for (var k = 0u; k < ${EACH}u; k++) {
    let i = (group * ${EACH}u + k) * ${SIZE}u + lane;
    if (i >= at.n * at.m) { return; }
    let found = locate(id.z, i);
    parameters[found.x] = parameters[found.x] * kept - step * activations[at.turned + found.y];
  }`,
)}`;
  const at = { n, m, table, turned: turned.offset, scale: f32Bits(scale) };
  return { name: "muon-apply", code, unit: 1, at, groups: groupsOf(n * m, count), work: pass(matrices, 3) };
}

/** The work of passing over this many vectors of the matrices' size. */
const pass = ({ n, m, count }: Matrices, vectors: number): Work => ({
  flops: 0,
  bytes: 4 * vectors * n * m * count,
});

/** Workgroups for this many values of each matrix. */
const groupsOf = (values: number, count: number): Kernel["groups"] => {
  const [x, y] = line(Math.ceil(values / (SIZE * EACH)));
  return [x, y, count];
};
