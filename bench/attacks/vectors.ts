import type { Random } from "../../model/lib/random.ts";

/** ALIE's z (Baruch et al. 1902.06156): large enough to matter, small enough to lie among the honest. */
const ALIE_Z = 1;
/** Halvings by which the largest perturbation within a bound is found. */
const HALVINGS = 20;
/** Deviations of the honest at which the search for it begins. */
const LARGEST = 64;

type Vector = Float32Array;

export const scaled = (factor: number, values: Vector): Vector => values.map((value) => factor * value);

/** a + factor × b. */
export const plus = (a: Vector, factor: number, b: Vector): Vector =>
  a.map((value, i) => value + factor * b[i]!);

export const normOf = (values: Vector): number => Math.sqrt(product(values, values));

export const deviation = (values: Vector): number => normOf(values) / Math.sqrt(values.length);

export function meanOf(deltas: readonly Vector[]): Vector {
  const sum = new Float32Array(deltas[0]!.length);
  for (const delta of deltas) for (let i = 0; i < sum.length; i++) sum[i]! += delta[i]! / deltas.length;
  return sum;
}

/** Gaussian, by the sum of twelve uniform numbers. */
export function noise(sigma: number, length: number, random: Random): Vector {
  return Float32Array.from({ length }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random.unit();
    return sigma * sum;
  });
}

/** Mean − z deviations in every coordinate, on the side that harms. */
export function alie(honest: readonly Vector[]): Vector {
  const mean = meanOf(honest);
  const spread = deviationsOf(honest, mean);
  return mean.map((center, i) => center - Math.sign(center) * ALIE_Z * spread[i]!);
}

/**
 * A perturbation of the honest mean's length at right angles to it (ROP, Özfatura et al. 2208.09894). `towards` stays the
 * same from round to round, so that what it does adds up.
 */
export function orthogonal(honest: readonly Vector[], towards: Vector): Vector {
  const mean = meanOf(honest);
  const across = plus(towards, -product(towards, mean) / product(mean, mean), mean);
  return plus(mean, normOf(mean) / normOf(across), across);
}

/** As far against the mean as no honest delta's distance to the others exceeds (Min-Max, Shejwalkar and Houmansadr 2021). */
export const minMax = (honest: readonly Vector[]): Vector =>
  farthest(honest, (distances) => Math.max(...distances));

/** The same by the sum of squared distances (Min-Sum). */
export const minSum = (honest: readonly Vector[]): Vector =>
  farthest(honest, (distances) => distances.reduce((sum, distance) => sum + distance, 0));

/** The mean moved against the honest by so many deviations that its distances measure no more than an honest delta's. */
function farthest(
  honest: readonly Vector[],
  measured: (squaredDistances: readonly number[]) => number,
): Vector {
  const distancesOf = (delta: Vector) => honest.map((other) => squaredDistance(delta, other));
  const most = Math.max(...honest.map((delta) => measured(distancesOf(delta))));
  const mean = meanOf(honest);
  const spread = deviationsOf(honest, mean);
  let [within, step] = [0, LARGEST];
  for (let n = 0; n < HALVINGS; n++, step /= 2) {
    const fits = measured(distancesOf(plus(mean, -(within + step), spread))) <= most;
    if (fits) within += step;
  }
  return plus(mean, -within, spread);
}

function deviationsOf(deltas: readonly Vector[], mean: Vector): Vector {
  return mean.map((center, i) => {
    let squares = 0;
    for (const delta of deltas) squares += (delta[i]! - center) ** 2;
    return Math.sqrt(squares / deltas.length);
  });
}

function squaredDistance(a: Vector, b: Vector): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (a[i]! - b[i]!) ** 2;
  return squares;
}

export const cosine = (a: Vector, b: Vector): number => product(a, b) / (normOf(a) * normOf(b));

function product(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
