import type { Arena, Slot } from "../../ops.ts";

/** What a dispatch has to do, counted. */
export interface Work {
  /** As flops.ts counts them. Of kernels that only pass over memory, 0. */
  readonly flops: number;
  /** Of the slots that it names, each counted once. */
  readonly bytes: number;
}

/** One dispatch, before it is compiled. */
export interface Kernel {
  /** For labels in a debugger and in error messages. */
  readonly name: string;
  /** WGSL behind the bindings that {@link shaderOf} writes; the entry point is `main`. */
  readonly code: string;
  /** How many f32 an element of the float arenas is: array<f32> or array<vec4f>. */
  readonly unit: Unit;
  /** The type of activations, where they are no floats. */
  readonly words?: "vec4u";
  /** The fields of `at`, all u32: what differs between two dispatches of the same code, above all places. */
  readonly at: Readonly<Record<string, number>>;
  /** Workgroups along x and y, and along z where there are several matrices. */
  readonly groups: readonly [number, number, number?];
  /** Whether x and y are a product's columns and rows. Otherwise workgroups are in a {@link line}. */
  readonly grid?: boolean;
  /** The first workgroup along the line, or along x and y of a grid: above 0 where a dispatch was split (split.ts). */
  readonly first?: readonly [number, number];
  readonly work: Work;
  /** Which of an arena's parts it binds (vectors.ts), where that is not the first. */
  readonly bound?: Bound;
  /** The same as several dispatches, which are split where this one would take too long. */
  readonly apart?: readonly Kernel[];
  /** Whether it exchanges values within quads: only where the device has the feature `subgroups`. */
  readonly subgroups?: boolean;
  /** Lanes of its subgroups, where the adapter is not left to choose: only where the device has `subgroup-size-control`. */
  readonly subgroupSize?: number;
}

export type Unit = 1 | 4;

export type Bound = Readonly<Partial<Record<Arena, number>>>;

/** The arenas' bindings in group 0, then the device's own: losses of past steps, `at`, and the dynamics. */
export const BINDINGS = [
  "parameters",
  "gradients",
  "m",
  "v",
  "loaded",
  "activations",
  "tokens",
  "ring",
] as const satisfies readonly (Arena | "ring")[];
export const AT_BINDING = BINDINGS.length;
export const DYNAMICS_BINDING = BINDINGS.length + 1;

/** Bytes of `at` that a dispatch binds, and the dynamic offset's step (WebGPU's default alignment). */
export const AT_BYTES = 128;
export const AT_STRIDE = 256;

/** Workgroups in one dimension of a dispatch: WebGPU's default and, in practice, every device's. */
export const GROUPS_LIMIT = 65_535;

/**
 * The whole WGSL module. Every arena is bound read_write in one group, because WebGPU refuses one buffer bound
 * as read and as read_write in the same dispatch, even for disjoint ranges.
 */
export function shaderOf({ code, unit, words, at, subgroups, subgroupSize }: Kernel): string {
  const fields = Object.keys(at).map((name) => `${name}: u32,`);
  const float = floatType(unit);
  const element: Record<string, string | undefined> = { tokens: "u32", ring: "f32", activations: words };
  const arenas = BINDINGS.map(
    (name, i) =>
      `@group(0) @binding(${i}) var<storage, read_write> ${name}: array<${element[name] ?? float}>;`,
  );
  // quads are whole and all of them arrive: what bounds their loops is a uniform, which the analysis cannot see
  const quiet = subgroups ? "diagnostic(off, subgroup_uniformity);\n" : "";
  const sized = subgroupSize === undefined ? "" : "enable subgroup_size_control;\n";
  const head = `${subgroups || sized ? "enable subgroups;\n" : ""}${sized}${quiet}`;
  const entry = sized ? code.replace("@compute", `@subgroup_size(${subgroupSize}) @compute`) : code;
  return `${head}struct At { first: vec2u, ${fields.join(" ")} }
struct Dynamics { scale: f32, rate: f32, correction1: f32, correction2: f32, ring: u32, add: u32, rows: u32 }
${arenas.join("\n")}
@group(0) @binding(${AT_BINDING}) var<uniform> at: At;
@group(0) @binding(${DYNAMICS_BINDING}) var<uniform> dynamics: Dynamics;
${entry}`;
}

export const floatType = (unit: Unit): string => (unit === 4 ? "vec4f" : "f32");

/**
 * The words of `at`: the first workgroup, then the kernel's own. Throws a RangeError where they are more than are bound.
 */
export function wordsOf({ name, first = [0, 0], at }: Kernel): number[] {
  const words = [...first, ...Object.values(at)];
  if (words.length * 4 > AT_BYTES) throw new RangeError(`${name} names too many places`);
  return words;
}

/**
 * The entry point's head. `group` is the workgroup's linear index, counted from `first` on, `lane` the invocation's within
 * the workgroup.
 */
export const main = (size: number, body: string, first = "at.first.x"): string => `
@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let group = ${first} + id.y * ${GROUPS_LIMIT}u + id.x;
${body}
}`;

/** The dispatch for `count` workgroups in a line, folded where one dimension does not hold them. */
export const line = (count: number): readonly [number, number] => [
  Math.min(count, GROUPS_LIMIT),
  Math.ceil(count / GROUPS_LIMIT),
];

/** The invocation's linear index in a dispatch of {@link line}. */
export const index = (size: number): string => `group * ${size}u + lane`;

/** `count` pieces of code, each on its line: WGSL compilers do not unroll what lives in registers for us. */
export const each = (count: number, code: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => code(i)).join("\n");

/** Whether these values of 4 bytes can be read four at a time. */
export const unitOf = (slots: readonly (Slot | null)[], ...strides: number[]): Unit =>
  slots.every((slot) => slot === null || slot.offset % 4 === 0) && strides.every((n) => n % 4 === 0) ? 4 : 1;

const bits = new DataView(new ArrayBuffer(4));

/** An f32 as a field of `at`, which the code reads by bitcast<f32>. */
export function f32Bits(value: number): number {
  bits.setFloat32(0, value);
  return bits.getUint32(0);
}

/** A literal that WGSL takes for an f32. */
export const f32 = (value: number): string => {
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
};
