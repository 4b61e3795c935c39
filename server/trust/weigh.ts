import type { TicketId } from "../../protocol/ids.ts";
import type { ReadonlyList } from "../lib/append-list.ts";
import { medianOf } from "../lib/median.ts";
import type { Candidate, Facts, Weight } from "./candidate.ts";
import { admitted, reputation, standingOf, type Trust, trusted } from "./standing.ts";
import { usualSize } from "./usual.ts";

/** The waiting deltas when a version closes: merged with a weight, or discarded; the rest waits. */
export interface Weighed {
  readonly merged: readonly Weight[];
  readonly discarded: readonly TicketId[];
  /** Divides the weighted sum, where it is more than the sum of the weights. */
  readonly total?: number;
}

/** Rules by which a version's deltas are weighed: pure, so that they can be swapped and compared. */
export type WeighingRule = (
  pool: ReadonlyList<Candidate>,
  version: number,
  trust: Trust,
  now: number,
) => Weighed;

/** Times the running median of sizes to which a delta is clipped. */
const CLIP = 1.5;
/** Times each tensor's running median to which a delta is clipped as a whole: a single tensor varies more. */
const TENSOR_CLIP = 3;
/** Times the median, or its inverse, beyond which a delta is suspect. */
const ODD = 8;
/**
 * Cosine with the server's own direction below which a delta is suspect: honest deltas from skewed text agree little
 * with it, but hardly one opposes it.
 */
const OPPOSED = -0.1;
/** Versions that a delta which must be audited first waits for that. */
const MAX_WAIT = 4;
/** Suspects that wait, at most: more are refused, so that they cannot fill the pool. */
export const MAX_SUSPECTS = 64;
/**
 * Part of a version's weight that deltas of volunteers not yet audited have together, at most, once a trusted one is
 * there. What no audit came to is hardly worth merging: at a quarter nine new keys with garbage used up half of what one
 * honest volunteer's run was to count. To weigh more a new key must train a ticket well.
 */
const NEWCOMERS_SHARE = 1 / 20;
/**
 * Newest versions in which, or in the open one, a trusted volunteer has a delta where one is about. There newcomers'
 * deltas wait for their audits, MAX_WAIT versions at most: what is merged then weighs an eleventh, for its age.
 */
const LATELY = 2;
/** Milliseconds that they wait where newcomers alone are left. */
const NEWCOMERS_WAIT_MS = 20_000;
/** Part of a version's weight that those of them from one network have together, at most. */
const PREFIX_SHARE = 1 / 40;
/** Networks from which a version has deltas before none of them may weigh more than all the others: of two one must. */
const SEVERAL_NETWORKS = 3;

/**
 * Tokens × (1+τ)^−3⁄2, of the kind of Xie et al. 2019 and steeper than their −½, for what comes late under churn costs
 * more than it brings (docs/LEARNING.md). √ is exact to the last bit everywhere, pow is not.
 */
const staleWeight = ({ tokens, version: from }: Candidate, version: number): number =>
  tokens / ((1 + version - from) * Math.sqrt(1 + version - from));

/** The control: everything that was accepted counts, by its tokens and its age alone. */
export const mean: WeighingRule = (pool, version) => ({
  merged: pool.map((delta) => ({ ticket: delta.ticket, weight: staleWeight(delta, version) })),
  discarded: [],
});

/** The mean of deltas clipped to the running medians of their sizes, and nothing else. */
const clippedMean: WeighingRule = (pool, version, trust) => {
  const clips = clipsOf(pool, trust);
  const merged = pool.map((delta) => ({
    ticket: delta.ticket,
    weight: staleWeight(delta, version) * clips.get(delta.ticket)!,
  }));
  return { merged, discarded: [], ...totalOf(merged, clips) };
};

/**
 * Ours: clipped; suspects wait for an audit and go when none comes; newcomers wait for one where somebody trusted is
 * about; reputation; the not yet audited together, and those from one network, capped. Robustness comes from history and audits, not from a majority
 * within one small version.
 */
export const byTrust: WeighingRule = (pool, version, trust, now) => {
  const usual = medianSize(pool, trust);
  const clips = clipsOf(pool, trust);
  const discarded: TicketId[] = [];
  const known: Weight[] = [];
  const fresh: { readonly delta: Candidate; readonly weight: number }[] = [];
  for (const delta of pool) {
    const standing = standingOf(trust, delta.volunteer);
    if (!admitted(standing, now)) {
      discarded.push(delta.ticket);
      continue;
    }
    // A volunteer that was found bad before is merged again only after an audit.
    const unproven = standing.strikes > 0 && !delta.proven && !trusted(standing);
    if (unproven || suspicionOf(delta, usual) !== undefined) {
      if (version - delta.version >= MAX_WAIT) discarded.push(delta.ticket);
      continue;
    }
    const weight = staleWeight(delta, version) * reputation(standing) * clips.get(delta.ticket)!;
    if (weight === 0) discarded.push(delta.ticket);
    else if (delta.proven || trusted(standing)) known.push({ ticket: delta.ticket, weight });
    else fresh.push({ delta, weight });
  }
  const about = known.length > 0 || trustedLately(trust, version);
  // Whoever was trusted may have left, and audits may be far behind: nobody waits for ever.
  const waited = ({ version: from, at = now }: Candidate) =>
    version - from >= MAX_WAIT || (known.length === 0 && now - at >= NEWCOMERS_WAIT_MS);
  const counted = about ? fresh.filter(({ delta }) => waited(delta)) : fresh;
  // Beside nobody that is known they would be all of a version: it moves the model by their share of a usual one.
  const share = about && known.length === 0 ? NEWCOMERS_SHARE : 1;
  const newcomers = new Set(counted.map(({ delta }) => delta.ticket));
  const weights = byNetwork(pool, [...known, ...capped(counted, sumOf(known))]);
  const waiting = new Map(pool.map((delta) => [delta.ticket, delta]));
  const merged = weights.map((one) => {
    const delta = waiting.get(one.ticket)!;
    // An unaudited newcomer earns less for its age, or garbage would earn the whole.
    const unaudited = about && newcomers.has(one.ticket);
    const alone = (unaudited ? delta.tokens : staleWeight(delta, version)) * clips.get(one.ticket)!;
    return { ...one, ...countedTokens(delta, (share * one.weight) / alone) };
  });
  return { merged, discarded, ...totalOf(merged, clips, share) };
};

/**
 * Divisor of the weights of clipped deltas: their sum as it would be unclipped. Divided by their own sum, the
 * clips of a version in which all are large, or of a delta alone, would cancel out. So would the `share` that a version may
 * have of a whole one.
 */
function totalOf(
  merged: readonly Weight[],
  clips: ReadonlyMap<TicketId, number>,
  share = 1,
): Pick<Weighed, "total"> {
  const counting = merged.filter(({ weight }) => weight > 0);
  if (counting.length === 0) return {};
  if (share === 1 && counting.every(({ ticket }) => clips.get(ticket) === 1)) return {};
  const unclipped = ({ ticket, weight }: Weight) => (weight === 0 ? 0 : weight / clips.get(ticket)!);
  return { total: merged.reduce((sum, one) => sum + unclipped(one), 0) / share };
}

/**
 * What a delta counts for that weighs this part of what it would without caps and strikes: nobody uses the run's budget
 * up, or earns credit, by work that was hardly merged. Size does not count here, nor the age of what was audited.
 */
function countedTokens({ tokens }: Candidate, part: number): Pick<Weight, "tokens"> {
  const counted = Math.round(tokens * Math.min(1, part));
  return counted < tokens ? { tokens: counted } : {};
}

/** Why a delta must be audited before it counts, if it must. */
export function suspicionOf(
  { facts, proven }: Pick<Candidate, "facts" | "proven">,
  median: number,
): "copy" | "opposed" | "odd" | undefined {
  if (proven || facts === undefined) return undefined;
  if (facts.copies !== undefined) return "copy";
  if (facts.agreement !== undefined && facts.agreement < OPPOSED) return "opposed";
  return facts.size > ODD * median || facts.size < median / ODD ? "odd" : undefined;
}

/** The running median of sizes, those that wait among them. */
export function medianSize(pool: ReadonlyList<Candidate>, { usual }: Trust): number {
  return (
    usualSize(usual) ?? medianOf(pool.flatMap(({ facts }) => facts?.size ?? [])) ?? Number.POSITIVE_INFINITY
  );
}

export const RULES = { mean, "clipped-mean": clippedMean, default: byTrust } as const;
export type RuleName = keyof typeof RULES;

/** A delta's usual size, and that of each of its tensors. */
interface Medians {
  readonly size: number;
  readonly tensors: readonly number[];
}

/** By what each delta's weight is scaled, for its size. */
function clipsOf(pool: ReadonlyList<Candidate>, trust: Trust): ReadonlyMap<TicketId, number> {
  const medians = mediansOf(pool, trust);
  return new Map(pool.map(({ ticket, facts }) => [ticket, clipOf(facts, medians)]));
}

function mediansOf(pool: ReadonlyList<Candidate>, trust: Trust): Medians {
  const { tensors: known } = trust.usual;
  const late =
    known.length > 0 ? known.map(({ value }) => value) : pool.flatMap(({ facts }) => [facts?.tensors ?? []]);
  const tensors = (late[0] ?? []).map((_, tensor) => medianOf(late.map((sizes) => sizes[tensor] ?? 0)) ?? 0);
  return { size: medianSize(pool, trust), tensors };
}

/** By what a delta's weight is scaled for its size, 1 for most: an audit looks at what is merged. */
export const clipFor = (
  { facts }: Pick<Candidate, "facts">,
  pool: ReadonlyList<Candidate>,
  trust: Trust,
): number => clipOf(facts, mediansOf(pool, trust));

/**
 * By what a delta is scaled so that it is no larger than CLIP times the usual, and no tensor of it than TENSOR_CLIP
 * times. As a whole, so that it points where it was trained to. A tensor of which most have nothing bounds nothing.
 */
function clipOf(facts: Facts | undefined, medians: Medians): number {
  if (facts === undefined) return 1;
  let clip = facts.size <= CLIP * medians.size ? 1 : (CLIP * medians.size) / facts.size;
  facts.tensors?.forEach((size, tensor) => {
    const bound = TENSOR_CLIP * (medians.tensors[tensor] ?? 0);
    if (bound > 0 && size > bound) clip = Math.min(clip, bound / size);
  });
  return clip;
}

/** Weights of which no network has more than half, trusted or not, where there are several to tell apart. */
function byNetwork(pool: ReadonlyList<Candidate>, weights: readonly Weight[]): readonly Weight[] {
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

/** Newcomers' weights, scaled down to the caps where others weigh `known`. */
function capped(
  fresh: readonly { readonly delta: Candidate; readonly weight: number }[],
  known: number,
): Weight[] {
  if (known === 0) return fresh.map(({ delta, weight }) => ({ ticket: delta.ticket, weight }));
  // A share s of the whole is s ÷ (1 − s) of the others' weight.
  const within = (share: number) => (known * share) / (1 - share);
  const byPrefix = new Map<string, number>();
  for (const { delta, weight } of fresh) {
    const from = delta.facts?.from ?? "";
    byPrefix.set(from, (byPrefix.get(from) ?? 0) + weight);
  }
  const narrowed = fresh.map(({ delta, weight }) => {
    const from = delta.facts?.from ?? "";
    const most = from === "" ? Number.POSITIVE_INFINITY : within(PREFIX_SHARE);
    return { ticket: delta.ticket, weight: weight * Math.min(1, most / byPrefix.get(from)!) };
  });
  const factor = Math.min(1, within(NEWCOMERS_SHARE) / sumOf(narrowed));
  return narrowed.map(({ ticket, weight }) => ({ ticket, weight: weight * factor }));
}

/**
 * Whether somebody trusted had a part in one of the newest versions. Somebody that was trusted until a roll-back counts: or
 * a provoked one would have garbage of new keys weigh as much as anybody's.
 */
function trustedLately({ standings }: Trust, version: number): boolean {
  for (const standing of standings.values()) {
    if ((trusted(standing) || standing.lapsed) && standing.merged > 0 && standing.merged > version - LATELY)
      return true;
  }
  return false;
}

const sumOf = (weights: readonly { readonly weight: number }[]): number =>
  weights.reduce((sum, { weight }) => sum + weight, 0);
