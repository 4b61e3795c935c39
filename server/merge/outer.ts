import type { Matrix } from "../../model/contract/layout.ts";

/** The outer step's settings, as the run file has them. */
export interface Outer {
  readonly kind: "average" | "nesterov" | "muon";
  readonly rate: number;
  readonly momentum: number;
  /** Deltas of a version from which on it takes the whole rate; absent, every version does. */
  readonly fullAt?: number;
  /** The rate of n deltas is ⁸√n times as high: where they are many the mean's noise is less. Absent: it is not. */
  readonly grows?: true;
  /** Of the way from 1, the rate of plain averaging, to the whole rate where that is higher; absent: all of it. */
  readonly part?: number;
  /** Times as far as everything else that the matrices move; absent: as far. */
  readonly matrices?: number;
}

/** The outer step's inputs beside the vectors. */
export interface OuterRule {
  readonly outer: Outer;
  /** The matrices that "muon" makes orthogonal, and that {@link Outer.matrices} is about. */
  readonly matrices: readonly Matrix[];
  /** Gives a matrix's directions the same weight, in place, keeping its norm: the same bytes on every machine. */
  readonly orthogonalize: (matrix: Float32Array, rows: number, columns: number) => void;
}

/**
 * The outer step moves θ against the mean delta `g` (downloaded minus trained weights), in plain f32. With m the run's
 * memory of earlier deltas and μ what it keeps of it:
 * - average: θ ← θ − rate·g (at rate 1 the mean of the volunteers' weights; FedAvg, 1602.05629);
 * - nesterov: m ← μ·m + g; θ ← θ − rate·d with d = g + μ·m (DiLoCo, 2311.08105);
 * - muon: the same, but each of the matrices within d is made orthogonal first (docs/LEARNING.md).
 * With `matrices`, what d has of these is then multiplied by it.
 * This is its first half, for any part of the vector: `next` becomes m and `g` becomes d. Matrices come between the halves.
 */
export function followMomentum(
  { kind, momentum: kept }: Outer,
  momentum: Float32Array,
  next: Float32Array,
  g: Float32Array,
): void {
  if (kind === "average") {
    next.set(momentum);
    return;
  }
  const mu = Math.fround(kept);
  for (let i = 0; i < g.length; i++) {
    const m = Math.fround(Math.fround(mu * momentum[i]!) + g[i]!);
    next[i] = m;
    g[i] = g[i]! + Math.fround(mu * m);
  }
}

/** Multiplies by {@link Outer.matrices} what d has of the matrices; `d` begins at the vector's value `from`. */
export function stretchMatrices(
  { outer, matrices }: Pick<OuterRule, "outer" | "matrices">,
  d: Float32Array,
  from = 0,
): void {
  if (outer.matrices === undefined) return;
  const times = Math.fround(outer.matrices);
  for (const { offset, rows, columns } of matrices) {
    const [begin, end] = [offset - from, offset - from + rows * columns];
    for (let i = Math.max(0, begin); i < Math.min(d.length, end); i++) d[i] = times * d[i]!;
  }
}

/** The second half: `d` becomes the new θ. `deltas` is how many the mean is of, as {@link effectiveCount} counts them. */
export function moveAgainst(outer: Outer, theta: Float32Array, d: Float32Array, deltas: number): void {
  const rate = Math.fround(rateFor(outer, deltas));
  for (let i = 0; i < d.length; i++) d[i] = theta[i]! - Math.fround(rate * d[i]!);
}

/**
 * How many deltas a mean is made of, where some may weigh next to nothing: (Σw)² ÷ Σw², between 1 and their number. In
 * the order given, so that every machine rounds the same way.
 */
export function effectiveCount(weights: readonly number[]): number {
  let [sum, squares] = [0, 0];
  for (const weight of weights) {
    sum += weight;
    squares += weight * weight;
  }
  return (sum * sum) / squares;
}

/**
 * What volunteers' deltas differ in cancels out of their mean, and the rate makes up for what it is shorter by. A single
 * delta is as long as ever: at the whole rate it overshoots (docs/LEARNING.md).
 */
function rateFor({ rate, fullAt, grows, part = 1 }: Outer, deltas: number): number {
  const grown = grows ? rate * Math.sqrt(Math.sqrt(Math.sqrt(deltas))) : rate;
  const whole = fullAt === undefined ? grown : grown * Math.min(1, (deltas + 1) / (fullAt + 1));
  return part < 1 && whole > 1 ? 1 + (whole - 1) * part : whole;
}
