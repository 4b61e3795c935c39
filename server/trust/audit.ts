import type { Candidate } from "./candidate.ts";
import { medianOf } from "./median.ts";
import { auditChance, standingOf, type Trust } from "./standing.ts";
import { medianSize, suspicionOf } from "./weigh.ts";

/** A loss before a delta was applied to its version's weights, and after; nats a token. */
export interface Change {
  readonly before: number;
  readonly after: number;
}

/** What an audit measured. */
export interface Evidence {
  /** On text that its ticket names: what it says it was trained on. */
  readonly assigned: Change;
  /** On gate text, which no volunteer sees. */
  readonly gate: Change;
  /** Of a recomputed fresh ticket: 1 − the cosine of what was sent and what the server got. */
  readonly distance?: number;
}

export type AuditReason = "gain" | "no-gain" | "harm" | "copy" | "recomputed" | "mismatch";

export interface Verdict {
  /** Unclear only after a roll-back: nothing follows from it but that the delta was looked at. */
  readonly verdict: "good" | "bad" | "unclear";
  readonly reason: AuditReason;
  /** What each of its steps gained on its own text. */
  readonly gain?: number;
}

/**
 * A delta gains at least this part of what others gained lately on their text: noise of the same size gains
 * about ±2% of it in a model of 20,000 parameters, and less in larger ones.
 */
const LEAST_GAIN = 0.03;
/** What it may lose on gate text, as a multiple of what it gains on its own. */
const MOST_HARM = 3;
/** After a roll-back, what a delta must cost to be bad, as a part of what others gain. */
const LEAST_BLAME = 0.5;
/**
 * How far a recomputed delta may lie off: devices round differently, and AdamW makes a full step of a gradient
 * that is nearly zero, whichever its sign. SECURITY.md has what was measured.
 */
export const MOST_DISTANCE = 0.1;

/** What the evidence says. A delta that was trained on its text helps there, whatever the text. */
export function verdictOf({ assigned, gate, distance }: Evidence, steps: number, trust: Trust): Verdict {
  const gain = (assigned.before - assigned.after) / steps;
  const harm = (gate.after - gate.before) / steps;
  if (distance !== undefined) {
    return distance <= MOST_DISTANCE
      ? { verdict: "good", reason: "recomputed", gain }
      : { verdict: "bad", reason: "mismatch" };
  }
  const usual = medianOf(trust.gains) ?? 0;
  // Not a number is not above either bound.
  if (!(gain > LEAST_GAIN * Math.max(0, usual))) return { verdict: "bad", reason: "no-gain" };
  if (!(harm <= MOST_HARM * gain)) return { verdict: "bad", reason: "harm" };
  return { verdict: "good", reason: "gain", gain };
}

/**
 * What the evidence says of a delta that is looked at because the run went back: on weights it was not made for. Honest
 * ones may well gain nothing there, so that bad is only what does about as much harm as others do good. What lies between
 * is unclear: nothing is held against its author, who stays a newcomer.
 */
export function blameOf(evidence: Evidence, steps: number, trust: Trust): Verdict {
  const verdict = verdictOf(evidence, steps, trust);
  // What it gains there is no measure for others.
  if (verdict.verdict === "good") return { verdict: "good", reason: verdict.reason };
  const least = -LEAST_BLAME * Math.max(0, medianOf(trust.gains) ?? 0);
  const gains = [evidence.assigned, evidence.gate].map(({ before, after }) => (before - after) / steps);
  return gains.every((gain) => gain >= least) ? { verdict: "unclear", reason: verdict.reason } : verdict;
}

/** How likely a delta is to be audited, and out of which part of the budget. */
export interface Plan {
  readonly chance: number;
  readonly whose: "veteran" | "stranger";
}

/**
 * For a delta that was just accepted: surely audited is a suspect one, and one of a fresh ticket, which can be
 * recomputed; the rest by their authors' standing. A suspect is paid for as a stranger, whoever sent it: a veteran that
 * turned would go unaudited once those of veterans have cost their half.
 */
export function planOf(delta: Candidate, fresh: boolean, pool: readonly Candidate[], trust: Trust): Plan {
  const chance = auditChance(standingOf(trust, delta.volunteer));
  if (suspicionOf(delta, medianSize(pool, trust)) !== undefined) return { chance: 1, whose: "stranger" };
  return { chance: fresh ? 1 : chance, whose: chance < 1 ? "veteran" : "stranger" };
}

/**
 * Micro-batches that a first look takes; what it finds bad gets a second one at more text, since a verdict costs
 * an honest volunteer its trust, and one micro-batch is noisy.
 */
export const FIRST_LOOK = 1;
export const SECOND_LOOK = 2;

/** Tokens that a forward pass costs, of those that a training step does. */
const FORWARD = 1 / 3;

/** What an audit costs, in tokens trained: `windows` tokens of assigned and of gate text, before and after. */
export const auditCost = (windowTokens: number, recomputedTokens: number): number =>
  4 * windowTokens * FORWARD + recomputedTokens;

/** What audits may cost: a share of what volunteers train. */
export class Budget {
  readonly #share: number;
  #earned: number;
  #spent = 0;

  /** `ahead`: tokens of training counted as done already, so that the first newcomers can be audited. */
  constructor(share: number, ahead: number) {
    this.#share = share;
    this.#earned = ahead;
  }

  earn(tokens: number): void {
    this.#earned += tokens;
  }

  /**
   * Whether it can be afforded; then it is spent. A veteran's audit may not touch the second half, which is for
   * newcomers and suspects: else honest work would pay for the strangers' going unaudited.
   */
  spend(cost: number, whose: Plan["whose"]): boolean {
    const part = whose === "veteran" ? 1 / 2 : 1;
    if (this.#spent + cost > part * this.#share * this.#earned) return false;
    this.#spent += cost;
    return true;
  }

  /** Spends what must be spent, whatever is left: later audits wait until it is earned. */
  charge(cost: number): void {
    this.#spent += cost;
  }

  get spent(): number {
    return this.#spent;
  }
}
