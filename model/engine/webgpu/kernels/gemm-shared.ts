import { epilogue, finishTile } from "./epilogue.ts";
import { each } from "./kernel.ts";
import type { Part } from "./part.ts";
import { leadOfA, origin, type Product } from "./product.ts";
import { sumSlices } from "./slices.ts";
import { groupsFor, type Tile } from "./tile.ts";

/**
 * C in workgroup tiles, what real GPUs want: both operands are staged through workgroup memory, `depth` of k at
 * a time, and each invocation keeps an m × n tile in registers. Published evidence: 16×16 invocations of 4×4
 * are the fastest of the shapes tfjs tried (tensorflow/tfjs-core pull request 1695); 64×64 a workgroup beats
 * 16×16 by 1.5–2.7 and loses where a small product leaves most of the GPU idle (mattn/tensai pull request 14);
 * onnxruntime takes 64×64 with 64 invocations of 8×8 (microsoft/onnxruntime pull request 25854).
 *
 * Where few workgroups would have long to go, a tile has slices: several invocations for the same values of C, each with its
 * share of k. Their sums meet at the end (slices.ts).
 *
 * The staged tiles are arrays of f32: scalar stores into the parts of a shared vec4 race.
 */
export function sharedGemm(op: Product, tile: Tile): Part {
  const { m: tm, n: tn, down, across, depth, slices = 1 } = tile;
  const [M, N] = [tm * down, tn * across];
  const size = down * across * slices;
  const bias = op.biasGradient ? biasGradient(N, depth, size) : { begin: "", add: "", end: "" };
  const share = (side: number) => (slices === 1 ? "" : ` + local_z * ${(side * depth) / slices}u`);
  const columns = Array.from({ length: tn / 4 }, (_, j) => j);
  const inTile = columns.flatMap((j) => Array.from({ length: tm }, (_, i) => `c_${i}_${j}`));
  const sums = sumSlices(tile, inTile);
  const a = stage(op, "a", "top", M, depth, size);
  const b = stage(op, "b", "left", N, depth, size);
  const body = `
  let top = y * ${M}u;
  let left = x * ${N}u;
${each(tm, (i) => each(tn / 4, (j) => `  var c_${i}_${j} = vec4f();`))}
${bias.begin}
  for (var start = 0u; start < at.k; start += ${depth}u) {
${a.loads}
${b.loads}
${a.stores}
${b.stores}
    workgroupBarrier();
${overDepth(
  { ...tile, depth: depth / slices },
  (first) => `      let a = ${first(M)} + local_y * ${tm}u${share(M)};
      let b = ${first(N)} + local_x * ${tn}u${share(N)};
${each(
  tn / 4,
  (j) =>
    `      let b_${j} = vec4f(b_tile[b + ${4 * j}u], b_tile[b + ${4 * j + 1}u], b_tile[b + ${4 * j + 2}u], b_tile[b + ${4 * j + 3}u]);`,
)}
${each(tm, (i) => `      let a_${i} = a_tile[a + ${i}u];\n${each(tn / 4, (j) => `      c_${i}_${j} += a_${i} * b_${j};`)}`)}`,
)}
${bias.add}
    workgroupBarrier();
  }
${bias.end}
${sums.code}
  let row = top + local_y * ${tm}u;
  let column = (left + local_x * ${tn}u) / 4u;
${finishTile(tm, tn / 4, "vec4f", (i, j) => `c_${i}_${j}`)}`;
  return {
    op,
    kind: `-shared${slices === 1 ? "" : "-split"}`,
    unit: 4,
    functions: epilogue(op, 4),
    body,
    shared: { a_tile: ["f32", M * depth], b_tile: ["f32", N * depth], ...sums.shared },
    size: [across, down, slices],
    tiles: groupsFor(tile, op.rows ?? op.m, op.n),
  };
}

/**
 * WGSL: what the uppermost tiles do beside, of which each invocation has one column and a part of k. Were it done where b is in
 * registers, compilers would keep it there for later: with 16 lanes a subgroup, Intel's spilled 80 registers.
 */
function biasGradient(side: number, depth: number, size: number) {
  const parts = size / side;
  const share = depth / parts;
  return {
    begin: "  var bias = 0f;",
    add: `    if (y == 0u) {
${each(share, (k) => `      bias += b_tile[index / ${side}u * ${share * side}u + ${k * side}u + index % ${side}u];`)}
    }`,
    end: `  a_tile[index] = bias;
  workgroupBarrier();
  if (y == 0u && index < ${side / 4}u) {
    var sum = vec4f();
    for (var part = 0u; part < ${parts}u; part++) {
      let at_part = part * ${side}u + index * 4u;
      sum += vec4f(${[0, 1, 2, 3].map((c) => `a_tile[at_part + ${c}u]`).join(", ")});
    }
    store_bias(left / 4u + index, sum);
  }`,
  };
}

/** Multiply-adds of an invocation at one place of k, up to which all of a tile's depth is written out. */
const MAX_UNROLLED = 16;

/**
 * WGSL: the code for every place of k that is staged. `first` is where that place's values begin in a tile so many wide: a
 * constant where the loop is written out, which compilers turn into offsets. Larger tiles written out spill registers.
 */
function overDepth({ m, n, depth }: Tile, code: (first: (side: number) => string) => string): string {
  if (m * n <= MAX_UNROLLED) return each(depth, (k) => `    {\n${code((side) => `${k * side}u`)}\n    }`);
  return `    for (var k = 0u; k < ${depth}u; k++) {\n${code((side) => `k * ${side}u`)}\n    }`;
}

/**
 * WGSL that fills tile[k][side], `side` values wide, from an operand whose rows lie along k or across it: first the loads,
 * all of which are under way at once, then the stores. Values past k's end become zero; those past a side's end are dropped
 * later.
 */
function stage(
  op: Product,
  name: "a" | "b",
  corner: string,
  side: number,
  depth: number,
  size: number,
): { readonly loads: string; readonly stores: string } {
  const along = name === "a" ? op.mode !== "TN" : op.mode === "NT";
  const stride = along
    ? name === "a"
      ? leadOfA(op, 4, "(at.k / 4u)")
      : "(at.k / 4u)"
    : `(at.${name === "a" ? "m" : "n"} / 4u)`;
  const turns = (side * depth) / 4 / size;
  if (!Number.isInteger(turns))
    throw new RangeError(`${size} invocations do not stage ${side}×${depth} evenly`);
  const from = `${op[name].arena}[${origin(op, name, 4)}`;
  const load = (t: number) => {
    const unit = `(index + ${t * size}u)`;
    const places = along
      ? [`${unit} / ${depth / 4}u`, `(${unit} % ${depth / 4}u) * 4u`]
      : [`(${unit} % ${side / 4}u) * 4u`, `${unit} / ${side / 4}u`];
    const [i, k] = [`${name}_i_${t}`, `${name}_k_${t}`];
    const at = along
      ? `(${corner} + ${i}) * ${stride} + (start + ${k}) / 4u`
      : `(start + ${k}) * ${stride} + (${corner} + ${i}) / 4u`;
    return `    let ${i} = ${places[0]};
    let ${k} = ${places[1]};
    let ${name}_value_${t} = select(vec4f(), ${from} + ${at}], start + ${k} < at.k);`;
  };
  const store = (t: number) =>
    each(4, (c) => {
      const [i, k] = [`${name}_i_${t}`, `${name}_k_${t}`];
      const place = along ? `(${k} + ${c}u) * ${side}u + ${i}` : `${k} * ${side}u + ${i} + ${c}u`;
      return `    ${name}_tile[${place}] = ${name}_value_${t}[${c}];`;
    });
  return { loads: each(turns, load), stores: each(turns, store) };
}
