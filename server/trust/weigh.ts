import type { TicketId } from "../../protocol/ids.ts";
import type { ReadonlyList } from "../lib/append-list.ts";
import { medianOf } from "../lib/median.ts";
import type { Candidate, Facts, Weight } from "./candidate.ts";
import {
  byNetwork,
  capped,
  cappedByNetwork,
  FIRST_PROVEN_SHARE,
  NEWCOMERS_SHARE,
  shareAlone,
  sumOf,
  type Weighted,
} from "./caps.ts";
import {
  admitted,
  established,
  overdue,
  reputation,
  type Standing,
  standingOf,
  type Trust,
  trusted,
  trustedOrLapsed,
} from "./standing.ts";
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
 * Newest versions in which, or in the open one, a trusted volunteer has a delta where one is about. There newcomers'
 * deltas wait for their audits, MAX_WAIT versions at most: what is merged then weighs an eleventh, for its age.
 */
const LATELY = 2;
/** Milliseconds that they wait where newcomers alone are left. */
const NEWCOMERS_WAIT_MS = 20_000;
/**
 * Volunteers in a version up to which nobody waits while the run trusts nobody yet: a run that begins with a few would begin
 * later, and a crowd of new keys can be no larger.
 */
const FEW = 4;
/** Part of its weight that a delta has whose author's second audit is overdue: a newcomer's that waited for one in vain. */
const OVERDUE = 1 / 11;
/** Versions, a run's first, that wait so, whatever happens. */
const FIRST_VERSIONS = 4;
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
 * about, or where a crowd of them begins a run; reputation; the not yet audited together, those that passed their first audit, and
 * those from one network, capped. Robustness comes from history and audits, not from a majority within one small version.
 */
const trustRule =
  (audited: boolean): WeighingRule =>
  (pool, version, trust, now) => {
    const usual = medianSize(pool, trust);
    const clips = clipsOf(pool, trust);
    const isLate = areLate(trust, version);
    const discarded: TicketId[] = [];
    const settled: Weighted[] = [];
    const late: Weighted[] = [];
    const proven: Weighted[] = [];
    const fresh: Weighted[] = [];
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
      else if (delta.proven && !established(standing)) proven.push({ delta, weight });
      else if (isLate && trusted(standing) && overdue(standing)) {
        late.push({ delta, weight: weight * OVERDUE });
      } else (trusted(standing) ? settled : fresh).push({ delta, weight });
    }
    const known = [...settled, ...capped(proven, FIRST_PROVEN_SHARE, sumOf(settled)), ...late];
    const about = known.length > 0 || hasPartLately(trust, version, trustedOrLapsed);
    const first = audited && !about && version < FIRST_VERSIONS && volunteersOf(fresh) > FEW;
    // Whoever was trusted may have left, and audits may be far behind: nobody waits for ever.
    const waited = ({ version: from, at = now }: Candidate) =>
      version - from >= MAX_WAIT || (known.length === 0 && now - at >= NEWCOMERS_WAIT_MS);
    // A crowd waits once, and for as long as the first of it.
    const over = crowdHasBegun(trust) || fresh.some(({ delta }) => waited(delta));
    const counted = about ? fresh.filter(({ delta }) => waited(delta)) : first && !over ? [] : fresh;
    // Beside nobody that is settled they would be all of a version: it moves the model by their share of a usual one.
    let share = 1;
    if (about && known.length === 0) share = shareAlone(counted, NEWCOMERS_SHARE);
    else if (settled.length === 0 && hasPartLately(trust, version, established)) {
      share = shareAlone(known, FIRST_PROVEN_SHARE);
    }
    const unaudited = new Set(about ? counted.map(({ delta }) => delta.ticket) : []);
    const all = [...known, ...cappedByNetwork(counted, sumOf(known))];
    const weights = byNetwork(
      pool,
      all.map(({ delta, weight }) => ({ ticket: delta.ticket, weight })),
    );
    const waiting = new Map(pool.map((delta) => [delta.ticket, delta]));
    const merged = weights.map((one) => {
      const delta = waiting.get(one.ticket)!;
      // An unaudited newcomer earns less for its age, or garbage would earn the whole.
      const alone = unaudited.has(one.ticket) ? delta.tokens : staleWeight(delta, version);
      return { ...one, ...countedTokens(delta, (share * one.weight) / (alone * clips.get(one.ticket)!)) };
    });
    return { merged, discarded, ...totalOf(merged, clips, share) };
  };

/** Where audits are made; nobody waits for any where there are none. */
export const byTrust = trustRule(true);

const volunteersOf = (deltas: readonly Weighted[]): number =>
  new Set(deltas.map(({ delta }) => delta.volunteer)).size;

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

/** The rule by that name, of a run where audits may cost this share of training. */
export const weighingRule = (rules: RuleName, auditShare: number): WeighingRule =>
  rules === "default" && auditShare === 0 ? trustRule(false) : RULES[rules];

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

/** Whether more than a few had a part in what was merged: those that come then have a version to begin at. */
function crowdHasBegun({ standings }: Trust): boolean {
  let volunteers = 0;
  for (const { merged } of standings.values()) if (merged > 0) volunteers += 1;
  return volunteers > FEW;
}

/**
 * Whether a second audit can be late: of the trusted who had a part in one of the newest versions most passed two. In a crowd that
 * has just come audits are behind with everybody, and nobody counts for less for that.
 */
function areLate({ standings }: Trust, version: number): boolean {
  let [known, proven] = [0, 0];
  for (const standing of standings.values()) {
    if (!trusted(standing) || !hasPart(standing, version)) continue;
    known += 1;
    if (established(standing)) proven += 1;
  }
  return 2 * proven > known;
}

/** Whether it had a part in one of the newest versions. */
const hasPart = ({ merged }: Standing, version: number): boolean => merged > 0 && merged > version - LATELY;

/** Whether somebody of such standing had. */
function hasPartLately(
  { standings }: Trust,
  version: number,
  such: (standing: Standing) => boolean,
): boolean {
  for (const standing of standings.values()) {
    if (such(standing) && hasPart(standing, version)) return true;
  }
  return false;
}
