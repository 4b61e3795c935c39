import { epilogue, finishTile, places } from "./epilogue.ts";
import { each, type Kernel } from "./kernel.ts";
import { chooseMatrix, grid, origin, type Product } from "./product.ts";
import type { Tile } from "./tile.ts";
import { productWork } from "./work.ts";

/**
 * C in workgroup tiles, what real GPUs want: both operands are staged through workgroup memory, `depth` of k at
 * a time, and each invocation keeps an m × n tile in registers. Published evidence: 16×16 invocations of 4×4
 * are the fastest of the shapes tfjs tried (tensorflow/tfjs-core pull request 1695); 64×64 a workgroup beats
 * 16×16 by 1.5–2.7 and loses where a small product leaves most of the GPU idle (mattn/tensai pull request 14);
 * onnxruntime takes 64×64 with 64 invocations of 8×8 (microsoft/onnxruntime pull request 25854).
 *
 * The staged tiles are arrays of f32: scalar stores into the parts of a shared vec4 race.
 */
export function sharedGemm(op: Product, tile: Tile): Kernel {
  const { m: tm, n: tn, down, across, depth } = tile;
  const [M, N] = [tm * down, tn * across];
  const size = down * across;
  const bias = op.biasGradient !== null;
  const code = `${epilogue(op, 4)}
var<workgroup> a_tile: array<f32, ${M * depth}>;
var<workgroup> b_tile: array<f32, ${N * depth}>;
@compute @workgroup_size(${across}, ${down})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) lane: u32
) {
${chooseMatrix(op, "group")}
  let top = (at.first.y + group.y) * ${M}u;
  let left = (at.first.x + group.x) * ${N}u;
${each(tm, (i) => each(tn / 4, (j) => `  var c_${i}_${j} = vec4f();`))}
${bias ? each(tn / 4, (j) => `  var bias_${j} = vec4f();`) : ""}
  for (var start = 0u; start < at.k; start += ${depth}u) {
${stage(op, "a", "top", M, depth, size)}
${stage(op, "b", "left", N, depth, size)}
    workgroupBarrier();
    for (var k = 0u; k < ${depth}u; k++) {
      let a = k * ${M}u + local.y * ${tm}u;
      let b = k * ${N}u + local.x * ${tn}u;
${each(
  tn / 4,
  (j) =>
    `      let b_${j} = vec4f(b_tile[b + ${4 * j}u], b_tile[b + ${4 * j + 1}u], b_tile[b + ${4 * j + 2}u], b_tile[b + ${4 * j + 3}u]);`,
)}
${each(tm, (i) => `      let a_${i} = a_tile[a + ${i}u];\n${each(tn / 4, (j) => `      c_${i}_${j} += a_${i} * b_${j};`)}`)}
${bias ? each(tn / 4, (j) => `      bias_${j} += b_${j};`) : ""}
    }
    workgroupBarrier();
  }
  let row = top + local.y * ${tm}u;
  let column = (left + local.x * ${tn}u) / 4u;
${finishTile(tm, tn / 4, "vec4f", (i, j) => `c_${i}_${j}`)}
${bias ? `  if (row == 0u) {\n${each(tn / 4, (j) => `    store_bias(column + ${j}u, bias_${j});`)}\n  }` : ""}
}`;
  const groups = grid(op, Math.ceil(op.n / N), Math.ceil(op.m / M));
  return {
    name: `gemm-${op.mode}-shared`,
    code,
    unit: 4,
    at: places(op, 4),
    groups,
    grid: true,
    work: productWork(op),
  };
}

/**
 * WGSL that fills tile[k][side], `side` values wide, from an operand whose rows lie along k or across it.
 * Values past k's end become zero; those past a side's end are dropped later.
 */
function stage(
  op: Product,
  name: "a" | "b",
  corner: string,
  side: number,
  depth: number,
  size: number,
): string {
  const along = name === "a" ? op.mode !== "TN" : op.mode === "NT";
  const stride = along ? "at.k" : name === "a" ? "at.m" : "at.n";
  const place = `${op[name].arena}[${origin(op, name, 4)}`;
  const units = (side * depth) / 4;
  const load = along
    ? `let i = unit / ${depth / 4}u;
        let k = (unit % ${depth / 4}u) * 4u;
        let value = select(vec4f(), ${place} + (${corner} + i) * (${stride} / 4u) + (start + k) / 4u], start + k < at.k);
${each(4, (c) => `        ${name}_tile[(k + ${c}u) * ${side}u + i] = value[${c}];`)}`
    : `let i = (unit % ${side / 4}u) * 4u;
        let k = unit / ${side / 4}u;
        let value = select(vec4f(), ${place} + (start + k) * (${stride} / 4u) + (${corner} + i) / 4u], start + k < at.k);
${each(4, (c) => `        ${name}_tile[k * ${side}u + i + ${c}u] = value[${c}];`)}`;
  return `    for (var unit = lane; unit < ${units}u; unit += ${size}u) {
        ${load}
    }`;
}
