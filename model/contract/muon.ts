import type { Optimizer } from "./config.ts";
import { hiddenMatrices, isHidden, type Layout, type Matrix, type Tensor } from "./layout.ts";

/**
 * Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon), the same on every engine. For each hidden matrix W
 * [rows, columns] (layout.ts) and its gradient g, clipped with all others as AdamW has it:
 *
 *   m ← μm + (1 − μ)g
 *   d = (1 − μ)g + μm                                      (Nesterov; its length makes no difference)
 *   x = d ÷ ‖d‖, then {@link ITERATIONS} times x ← ax + b(xxᵀ)x + c(xxᵀ)²x
 *   W ← W × (1 − rate × decay) − rate × stepScale × x
 *
 * Where rows > columns, x stands for dᵀ. The iteration (Newton–Schulz) takes every singular value to between .7 and
 * 1.2, so that all directions have the same weight. Zeros stay zeros. Queries, keys and values are three matrices side by side,
 * not one (docs/LEARNING.md says what that brings). Everything else is AdamW's.
 */

/** a, b and c: steep at zero, so that weak directions grow 3.4-fold a time. */
export const QUINTIC = [3.4445, -4.775, 2.0315] as const;
export const ITERATIONS = 5;
/** μ, the part of the mean gradient kept at each step. */
export const MOMENTUM = 0.95;
/** Root mean square of a step, as a part of the rate: AdamW's usual one, so that both use one rate (2502.16982). */
export const STEP_RMS = 0.2;

/** Scales a matrix of singular values near 1 to the root mean square {@link STEP_RMS}. */
export const stepScale = (rows: number, columns: number): number =>
  STEP_RMS * Math.sqrt(Math.max(rows, columns));

/** A matrix, perhaps some columns of a wider one. */
export interface MuonMatrix extends Matrix {
  /** Values from one row's beginning to the next's: at least `columns`. */
  readonly stride: number;
}

/** The matrices of {@link hiddenMatrices}, with queries, keys and values apart, in the layout's order. */
export const muonMatrices = (layout: Layout): MuonMatrix[] =>
  hiddenMatrices(layout).flatMap(({ offset, rows, columns }) => {
    const parts = columns === 3 * rows ? 3 : 1; // only attention's first matrix is three times as wide as high
    const width = columns / parts;
    return Array.from({ length: parts }, (_, part) => ({
      offset: offset + part * width,
      rows,
      columns: width,
      stride: columns,
    }));
  });

/** Whether of a tensor AdamW keeps a mean of squares: Muon needs none for its matrices. */
export const hasSquares = (tensor: Tensor, { inner }: Optimizer): boolean =>
  inner !== "muon" || !isHidden(tensor);
