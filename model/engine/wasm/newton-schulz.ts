import { ITERATIONS, QUINTIC } from "../../contract/muon.ts";
import type { Kernels } from "./kernels.ts";

const [A, B, C] = QUINTIC;

/** Byte addresses of what the iteration works in: two matrices of rows × columns values, two of the smaller side². */
export interface Workspace {
  readonly x: number;
  readonly y: number;
  readonly gram: number;
  readonly square: number;
}

/** Values of each of {@link Workspace}'s squares. */
export const squareValues = (rows: number, columns: number): number => Math.min(rows, columns) ** 2;

/**
 * Newton–Schulz' iteration (muon.ts) on the matrix at `x` [rows, columns], whose norm is 1. What was there is used up;
 * returns where the result lies, `y`. Allocates nothing.
 */
export function newtonSchulz(kernels: Kernels, rows: number, columns: number, work: Workspace): number {
  const { gram, square } = work;
  // The smaller side's Gram matrix is the smaller: n is it, and x is read as [n, m] whichever way it lies.
  const wide = rows <= columns;
  const n = wide ? rows : columns;
  const m = wide ? columns : rows;
  const row = wide ? columns : 1;
  const column = wide ? 1 : columns;
  let { x, y } = work;
  for (let turn = 0; turn < ITERATIONS; turn++) {
    kernels.symmetric(n, m, x, row, column, x, column, row, gram);
    kernels.symmetric(n, n, gram, n, 1, gram, n, 1, square);
    kernels.blend(1, n * n, square, 0, C, gram, 0, B, square, 0);
    if (wide) kernels.gemm(n, m, n, square, n, 1, x, row, column, y, m, 0, 0, 0, 0, 0);
    else kernels.gemm(m, n, n, x, column, row, square, n, 1, y, n, 0, 0, 0, 0, 0); // square is symmetric: (square·x)ᵀ
    kernels.blend(1, n * m, x, 0, A, y, 0, 1, y, 0);
    const next = y;
    y = x;
    x = next;
  }
  return x;
}
