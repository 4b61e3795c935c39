import { places } from "./epilogue.ts";
import { GROUPS_LIMIT, type Kernel, line, type Unit } from "./kernel.ts";
import { chooseMatrix, type Product } from "./product.ts";
import { productWork } from "./work.ts";

/** A product's code before it has an entry point: it gets a dispatch {@link alone}, or {@link beside} another. */
export interface Part {
  readonly op: Product;
  /** What its kind adds to the kernel's name. */
  readonly kind: string;
  readonly unit: Unit;
  /** WGSL at module scope. */
  readonly functions: string;
  /** WGSL statements about the tile in column `x` and row `y`, by the invocation `local`, of index `index` in a line. */
  readonly body: string;
  /** Workgroup memory: values of what type, and how many. Parts share what has the same name. */
  readonly shared: Readonly<Record<string, readonly ["f32" | "vec4f", number]>>;
  /** Invocations of a workgroup along x, y and z. */
  readonly size: readonly [number, number, number];
  /** Tiles across and down, each of which is a workgroup. */
  readonly tiles: readonly [number, number];
  readonly subgroups?: boolean;
}

export function alone(part: Part): Kernel {
  const { op, kind, unit, functions, body, shared, size, tiles, subgroups = false } = part;
  const code = `${functions}
${arraysOf(shared)}
@compute @workgroup_size(${size.join(", ")})
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32
) {
${chooseMatrix(op, "group")}
  let x = at.first.x + group.x;
  let y = at.first.y + group.y;
  let local_x = local.x;
  let local_y = local.y;
  let local_z = local.z;
${body}
}`;
  const groups: Kernel["groups"] = op.batch ? [...tiles, op.batch.count] : tiles;
  const name = `gemm-${op.mode}${kind}`;
  return { name, code, unit, at: places(op, unit), groups, grid: true, work: productWork(op), subgroups };
}

/**
 * Both in one dispatch, which first has the workgroups of the one, then those of the other; undefined where their workgroups
 * have not as many invocations, or read their operands in other units. Neither may read what the other writes.
 */
export function beside(one: Part, two: Part): Kernel | undefined {
  const invocations = ({ size: [x, y, z] }: Part) => x * y * z;
  if (invocations(one) !== invocations(two) || one.unit !== two.unit || one.op.batch || two.op.batch) return;
  const { unit } = one;
  const begin = one.tiles[0] * one.tiles[1];
  const shared = { ...one.shared };
  for (const [name, [type, count]] of Object.entries(two.shared))
    shared[name] = [type, Math.max(count, shared[name]?.[1] ?? 0)];
  const [first, second] = [asBlock(one, "one", "group"), asBlock(two, "two", "(group - at.begin)")];
  const code = `${arraysOf(shared)}
${first.functions}
${second.functions}
@compute @workgroup_size(${invocations(one)})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) index: u32) {
  let group = at.first.x + id.y * ${GROUPS_LIMIT}u + id.x;
  if (group < at.begin) {
${first.block}
  } else {
${second.block}
  }
}`;
  return {
    name: `gemm-${one.op.mode}${one.kind}-${two.op.mode}${two.kind}`,
    code,
    unit,
    at: { begin, ...placesOf(one, "one"), ...placesOf(two, "two") },
    groups: line(begin + two.tiles[0] * two.tiles[1]),
    work: sumOf(productWork(one.op), productWork(two.op)),
    subgroups: one.subgroups === true || two.subgroups === true,
    apart: [alone(one), alone(two)],
  };
}

const sumOf = (a: Kernel["work"], b: Kernel["work"]): Kernel["work"] => ({
  flops: a.flops + b.flops,
  bytes: a.bytes + b.bytes,
});

const arraysOf = (shared: Part["shared"]): string =>
  Object.entries(shared)
    .map(([name, [type, count]]) => `var<workgroup> ${name}: array<${type}, ${count}>;`)
    .join("\n");

const placesOf = ({ op, unit, tiles }: Part, prefix: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries({ ...places(op, unit), across: tiles[0] }).map(([name, at]) => [`${prefix}_${name}`, at]),
  );

/**
 * WGSL: the part about the workgroup in place `group` of its own, with the prefix in front of all that WGSL would have only
 * once. It is a block, since compilers do not know in a function how large the invocation's index may be, and check each of
 * its uses.
 */
function asBlock({ functions, body, size: [across, down] }: Part, prefix: string, group: string) {
  const own = [...functions.matchAll(/\bfn (\w+)\(/g)].map(([, name]) => name);
  const renamed = (code: string) =>
    own.reduce<string>(
      (text, name) => text.replaceAll(new RegExp(`\\b${name}\\(`, "g"), `${prefix}_${name}(`),
      code.replaceAll(/\bat\.(\w+)/g, `at.${prefix}_$1`),
    );
  const block = `    let x = ${group} % at.${prefix}_across;
    let y = ${group} / at.${prefix}_across;
    let local_x = index % ${across}u;
    let local_y = index / ${across}u % ${down}u;
    let local_z = index / ${across * down}u;
${renamed(body)}`;
  return { functions: renamed(functions), block };
}
