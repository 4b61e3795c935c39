import { hiddenMatrices, type Layout } from "../../model/contract/layout.ts";
import { ITERATIONS, MOMENTUM, QUINTIC, stepScale } from "../../model/contract/muon.ts";

/** Muon of the f64 oracle (oracle.ts): muon.ts's docstring in plain loops over doubles. */

type Rows = number[][];

/**
 * What Newton–Schulz makes of a matrix [rows, columns], row-major: about the nearest with orthonormal rows or columns.
 * `quintic` is a, b and c, for controls that get them wrong.
 */
export function newtonSchulz(
  d: Float64Array,
  rows: number,
  columns: number,
  quintic: readonly [number, number, number] = QUINTIC,
): Float64Array {
  const [a, b, c] = quintic;
  const norm = Math.sqrt(d.reduce((sum, value) => sum + value * value, 0));
  if (norm === 0) return d.slice();
  const given: Rows = Array.from({ length: rows }, (_, i) =>
    Array.from(d.subarray(i * columns, (i + 1) * columns), (value) => value / norm),
  );
  let x = rows > columns ? transposed(given) : given;
  for (let turn = 0; turn < ITERATIONS; turn++) {
    const gram = product(x, transposed(x));
    const square = product(gram, gram);
    const pull = product(
      gram.map((row, i) => row.map((value, j) => b * value + c * square[i]![j]!)),
      x,
    );
    x = x.map((row, i) => row.map((value, j) => a * value + pull[i]![j]!));
  }
  return Float64Array.from((rows > columns ? transposed(x) : x).flat());
}

/** Muon in place on the hidden matrices, of a gradient that is clipped. */
export function oracleMuon(
  layout: Layout,
  { weights, m }: { readonly weights: Float64Array; readonly m: Float64Array },
  gradient: Float64Array,
  rate: number,
  weightDecay: number,
  quintic?: readonly [number, number, number],
): void {
  for (const { offset, rows, columns } of hiddenMatrices(layout)) {
    const end = offset + rows * columns;
    const d = gradient.subarray(offset, end).map((g, i) => {
      m[offset + i] = MOMENTUM * m[offset + i]! + (1 - MOMENTUM) * g;
      return (1 - MOMENTUM) * g + MOMENTUM * m[offset + i]!;
    });
    const step = newtonSchulz(d, rows, columns, quintic);
    const scale = rate * stepScale(rows, columns);
    for (let i = offset; i < end; i++)
      weights[i] = weights[i]! * (1 - rate * weightDecay) - scale * step[i - offset]!;
  }
}

const transposed = (a: Rows): Rows => a[0]!.map((_, j) => a.map((row) => row[j]!));

const product = (a: Rows, b: Rows): Rows =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
