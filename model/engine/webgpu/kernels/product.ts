import type { Gemm } from "../../ops.ts";
import type { Kernel, Unit } from "./kernel.ts";

/** A product of the schedule, or as many of one shape as lie one after another, at once. */
export interface Product extends Gemm {
  readonly batch?: Batch;
}

/**
 * `count` matrices in each operand: out = product × (A·B) + residual × R, R being the op's residual where it has one. Of
 * the epilogue a batch has nothing else.
 */
export interface Batch {
  readonly count: number;
  readonly product: number;
  readonly residual: number;
}

const SIDES = { a: ["m", "k"], b: ["k", "n"] } as const;

/** WGSL: where the operand of the workgroup's own matrix begins, in units. */
export function origin({ batch }: Product, operand: "a" | "b", unit: Unit): string {
  const [rows, columns] = SIDES[operand];
  return batch ? `(at.${operand} + matrix * (at.${rows} * at.${columns} / ${unit}u))` : `at.${operand}`;
}

/** WGSL: the declaration of which of a batch's matrices the workgroup works on. */
export const matrixVariable = ({ batch }: Product): string => (batch ? "var<private> matrix: u32;\n" : "");

/** WGSL, first in the entry point. `group` is the workgroup's place. */
export const chooseMatrix = ({ batch }: Product, group: string): string =>
  batch ? `  matrix = ${group}.z;` : "";

/** Workgroups for an out that is cut into `down` × `across` tiles. */
export const grid = ({ batch }: Product, across: number, down: number): Kernel["groups"] =>
  batch ? [across, down, batch.count] : [across, down];
