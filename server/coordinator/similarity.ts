import type { CrowdStatus } from "../../protocol/status.ts";
import type { Closed } from "./events.ts";
import type { Lengths, Pooled } from "./state.ts";

/**
 * How similar a version's deltas are, and so how much one more volunteer would bring. Each delta is taken for what all have
 * in common and noise of its own, which the mean of many has less of: the gradient noise scale (1812.06162), in deltas.
 */

/** Of deltas that are merged as `closed` says; undefined for a single one, and where the norm of one is not known. */
export function lengthsOf(
  merged: readonly Pooled[],
  { merged: weights, total }: Closed,
): Lengths | undefined {
  const divisor = total ?? weights.reduce((sum, { weight }) => sum + weight, 0);
  const lengths = merged.flatMap(({ done }, i) =>
    done?.norm === undefined ? [] : [(done.norm * weights[i]!.weight) / divisor],
  );
  if (lengths.length < 2 || lengths.length < merged.length) return undefined;
  return {
    sum: lengths.reduce((sum, length) => sum + length, 0),
    squares: lengths.reduce((sum, length) => sum + length ** 2, 0),
  };
}

/** Mean cosine of the angle between two deltas, given the length of their mean; undefined where one of them has all the weight. */
export function cosineOf({ sum, squares }: Lengths, norm: number | undefined): number | undefined {
  const pairs = sum ** 2 - squares;
  if (norm === undefined || !(pairs > 0)) return undefined;
  return Math.max(-1, Math.min(1, (norm ** 2 - squares) / pairs));
}

/** Part of what a version would learn of a crowd without end. A run has use for as many volunteers as bring this. */
const ENOUGH = 4 / 5;
/** Volunteers that a run is said to have use for, at most: where deltas have hardly anything in common, it tells little. */
const MAX_USEFUL = 100_000;

/**
 * What more volunteers would bring, where a version has this many deltas. With a noise scale b = (1 − c) ÷ c, n deltas bring
 * n ÷ (n + b) of what a crowd without end would.
 */
export function crowdFor(cosine: number, deltas: number): CrowdStatus {
  const alike = Math.max(0, cosine);
  const useful = ((ENOUGH / (1 - ENOUGH)) * (1 - alike)) / alike;
  return {
    cosine,
    oneMore: (1 - alike) / (deltas * (1 + deltas * alike)),
    useful: useful <= MAX_USEFUL ? Math.max(1, Math.round(useful)) : null,
  };
}
