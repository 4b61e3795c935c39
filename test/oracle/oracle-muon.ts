import type { Layout } from "../../model/contract/layout.ts";
import { ITERATIONS, MOMENTUM, muonMatrices, QUINTIC, stepScale } from "../../model/contract/muon.ts";

/** Muon of the f64 oracle (oracle.ts): muon.ts's docstring in plain loops over doubles. */

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
  const unit = d.map((value) => value / norm);
  const n = Math.min(rows, columns);
  let x = rows > columns ? transposed(unit, rows) : unit;
  for (let turn = 0; turn < ITERATIONS; turn++) {
    const gram = product(x, transposed(x, n), n);
    const square = product(gram, gram, n);
    const pull = product(
      gram.map((value, i) => b * value + c * square[i]!),
      x,
      n,
    );
    x = x.map((value, i) => a * value + pull[i]!);
  }
  return rows > columns ? transposed(x, n) : x;
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
  for (const { offset, rows, columns, stride } of muonMatrices(layout)) {
    const places = Array.from(
      { length: rows * columns },
      (_, i) => offset + Math.floor(i / columns) * stride + (i % columns),
    );
    const d = Float64Array.from(places, (at) => {
      m[at] = MOMENTUM * m[at]! + (1 - MOMENTUM) * gradient[at]!;
      return (1 - MOMENTUM) * gradient[at]! + MOMENTUM * m[at]!;
    });
    const step = newtonSchulz(d, rows, columns, quintic);
    const scale = rate * stepScale(rows, columns);
    for (const [i, at] of places.entries())
      weights[at] = weights[at]! * (1 - rate * weightDecay) - scale * step[i]!;
  }
}

/** [rows, …] → […, rows] */
function transposed(a: Float64Array, rows: number): Float64Array {
  const columns = a.length / rows;
  return a.map((_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** [n, k]·[k, …] → [n, …] */
function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const k = a.length / n;
  const m = b.length / k;
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let l = 0; l < k; l++) for (let j = 0; j < m; j++) out[i * m + j]! += a[i * k + l]! * b[l * m + j]!;
  return out;
}
