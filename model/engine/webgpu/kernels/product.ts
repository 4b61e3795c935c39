import type { Gemm } from "../../ops.ts";
import { denseStride } from "../../products.ts";
import type { Unit } from "./kernel.ts";

/** A product of the schedule, or as many of one shape as lie one after another, at once. */
export interface Product extends Gemm {
  readonly batch?: Batch;
  /** Rows of out that exist, where the tile computes more of them; else m. */
  readonly rows?: number;
  /** Values from one row to the next of a (NN) or of out (NT), where the product has only some of their columns. */
  readonly lead?: number;
}

/**
 * The product with rows of logits as long as they are with their padding: this many columns of out, or places of k, whose
 * values in a are zeros. In mode TN they are rows of out, which must not be written.
 */
export function withPadding(op: Product): Product {
  const { mode, m, stride } = op;
  if (stride === denseStride(op)) return op;
  return { NN: { ...op, k: stride }, NT: { ...op, n: stride }, TN: { ...op, m: stride, rows: m } }[mode];
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

/** WGSL: units from one row of a to the next, in modes NN and NT. `k` is that of rows without padding. */
export const leadOfA = ({ mode, lead }: Product, unit: Unit, k: string): string =>
  mode === "NN" && lead !== undefined ? `(at.lead / ${unit}u)` : k;

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
