import type { ReadonlyList } from "../lib/append-list.ts";
import type { Candidate, Weight } from "./candidate.ts";

/**
 * Part of a version's weight that deltas of volunteers not yet audited have together, at most, once a trusted one is
 * there. What no audit came to is hardly worth merging: at a quarter nine new keys with garbage used up half of what one
 * honest volunteer's run was to count. To weigh more a new key must train a ticket well.
 */
export const NEWCOMERS_SHARE = 1 / 20;
/**
 * Part of a version's weight that deltas have together, at most, which an audit found good as the first of their volunteer,
 * beside those of others: keys that send one delta each could else outweigh all who stay. It costs whoever stays one delta.
 */
export const FIRST_PROVEN_SHARE = 1 / 10;
/** Part of a version's weight that those of them from one network have together, at most. */
const PREFIX_SHARE = 1 / 40;
/** Networks from which a version has deltas before none of them may weigh more than all the others: of two one must. */
const SEVERAL_NETWORKS = 3;

/** A delta, and its weight before it is known what others weigh. */
export interface Weighted {
  readonly delta: Candidate;
  readonly weight: number;
}

/** What has a share s of the whole is s ÷ (1 − s) of the `others`' weight. */
const within = (share: number, others: number): number => (others * share) / (1 - share);

/** Weights scaled down to a share of the whole, where others weigh something. */
export function capped(deltas: readonly Weighted[], share: number, others: number): readonly Weighted[] {
  if (others === 0) return deltas;
  const factor = Math.min(1, within(share, others) / sumOf(deltas));
  return deltas.map(({ delta, weight }) => ({ delta, weight: weight * factor }));
}

/** Newcomers' weights, scaled down to the caps where others weigh `known`. */
export function cappedByNetwork(fresh: readonly Weighted[], known: number): readonly Weighted[] {
  if (known === 0) return fresh;
  const byPrefix = new Map<string, number>();
  for (const { delta, weight } of fresh) {
    const from = delta.facts?.from ?? "";
    byPrefix.set(from, (byPrefix.get(from) ?? 0) + weight);
  }
  const narrowed = fresh.map(({ delta, weight }) => {
    const from = delta.facts?.from ?? "";
    const most = from === "" ? Number.POSITIVE_INFINITY : within(PREFIX_SHARE, known);
    return { delta, weight: weight * Math.min(1, most / byPrefix.get(from)!) };
  });
  return capped(narrowed, NEWCOMERS_SHARE, known);
}

/** The part of a usual version that deltas beside nobody else have together: `share` of what one of them would alone. */
export function shareAlone(deltas: readonly Weighted[], share: number): number {
  const most = deltas.reduce((max, { weight }) => Math.max(max, weight), 0);
  return most > 0 ? (share * most) / sumOf(deltas) : share;
}

/** Weights of which no network has more than half, trusted or not, where there are several to tell apart. */
export function byNetwork(pool: ReadonlyList<Candidate>, weights: readonly Weight[]): readonly Weight[] {
  // Of an unknown network each is its own.
  const from = new Map(pool.map(({ ticket, facts }) => [ticket, facts?.from ?? ticket]));
  const named = new Set(pool.flatMap(({ facts }) => facts?.from ?? []));
  const networks = new Map<string, number>();
  for (const { ticket, weight } of weights) {
    const network = from.get(ticket)!;
    networks.set(network, (networks.get(network) ?? 0) + weight);
  }
  if (networks.size < SEVERAL_NETWORKS) return weights;
  const total = sumOf(weights);
  const large = [...networks].find(([network, weight]) => named.has(network) && weight > total / 2);
  if (large === undefined) return weights;
  const factor = (total - large[1]) / large[1];
  return weights.map((one) =>
    from.get(one.ticket) === large[0] ? { ...one, weight: one.weight * factor } : one,
  );
}

export const sumOf = (weights: readonly { readonly weight: number }[]): number =>
  weights.reduce((sum, { weight }) => sum + weight, 0);
