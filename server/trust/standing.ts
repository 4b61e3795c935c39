import type { TicketId, VolunteerKey } from "../../protocol/ids.ts";
import { AgedMap } from "../lib/aged-map.ts";
import {
  type Harm,
  isNone,
  isShown,
  isShownInParts,
  isSuspicious,
  isSuspiciousInParts,
  NO_HARM,
  PART_SCALE,
  scorer,
  withScore,
  withScores,
} from "./slow-harm.ts";
import { NOTHING_USUAL, type Usual, upTo, withEffects } from "./usual.ts";

/** One volunteer's standing, from audits and the operator only. */
export interface Standing {
  /** Audits passed since the last strike. */
  readonly passed: number;
  /** Deltas accepted since the last strike. */
  readonly streak: number;
  /** Deltas found bad and not yet forgiven. */
  readonly strikes: number;
  /** The run clock until which nothing is taken from it. */
  readonly until: number;
  /** Shut out by the operator until the operator says otherwise. */
  readonly banned: boolean;
  /** The newest version that something of it was merged into. */
  readonly merged: number;
  /**
   * The newest deltas of one on probation that no audit stands for: found bad once, it loses the credit of them all,
   * or riding along would pay until the first audit comes.
   */
  readonly unproven: readonly TicketId[];
  /** The newest version when an audit of it was passed; absent: none was. */
  readonly proven?: number;
  /** It was trusted until a roll-back. */
  readonly lapsed?: boolean;
  /** Evidence that its deltas do slow harm; absent: none. */
  readonly harm?: Harm;
  /** The same of each part of the model (parts.ts), which the good that the others do may hide; absent: none. */
  readonly harmInParts?: readonly Harm[];
  /** The newest deltas since that evidence began: their credit goes too. */
  readonly doubted?: readonly TicketId[];
}

/** The measured effect on gate text of a delta that was merged. */
export interface DeltaEffect {
  readonly ticket: TicketId;
  readonly volunteer: VolunteerKey;
  /** By how much it lowered the loss, to first order; nats a token, times one factor for all of a version. */
  readonly effect: number;
  /** What each part of it did (parts.ts); absent where that was not measured. */
  readonly parts?: readonly number[];
}

/** The standings of all volunteers, bounded and made of journaled events only. */
export interface Trust {
  /** The longest untouched first. */
  readonly standings: ReadonlyMap<VolunteerKey, Standing>;
  /** A delta's usual sizes and gains. */
  readonly usual: Usual;
}

export const NO_TRUST: Trust = { standings: new Map(), usual: NOTHING_USUAL };

const NEWCOMER: Standing = {
  passed: 0,
  streak: 0,
  strikes: 0,
  until: 0,
  banned: false,
  merged: 0,
  unproven: [],
  harm: NO_HARM,
  harmInParts: [],
  doubted: [],
};

/** Volunteers remembered: about 4 MB. */
const MAX_STANDINGS = 20_000;
/**
 * Milliseconds of the first quarantine: short, for it may be an error; each further strike makes it four times as long.
 * A new key is free, so longer would gain nothing.
 */
const QUARANTINE_MS = 120_000;
const MAX_STRIKES = 6;
/** Passed audits that take one strike away. */
const FORGIVEN_AFTER = 8;
/** Chance of an audit that a veteran's delta has, at least. */
const MIN_CHANCE = 0.05;
/** By what each strike that is not forgiven multiplies it: after two of them all is audited. */
const CHANCE_PER_STRIKE = 5;
/** Good deltas until which all of a newcomer's are audited. */
const PROBATION = 2;
/** Deltas of one on probation that are remembered. */
const MAX_UNPROVEN = 8;
/** Deltas of one under suspicion of slow harm that are remembered. */
const MAX_DOUBTED = 32;
/**
 * Newest deltas of a volunteer whose credit goes with one that an audit found bad. A veteran's are audited one in twenty, and
 * some bad ones pass: so one that is found stands for some thirty that nobody looked at, and cheating pays nothing on average.
 */
export const FORFEITED = 32;
/** Tickets of which one starts from nothing, so that it can be recomputed. */
const FRESH_EVERY = 50;

export const standingOf = (trust: Trust, volunteer: VolunteerKey): Standing =>
  trust.standings.get(volunteer) ?? NEWCOMER;

/** Whether deltas of it are taken. */
export const admitted = (standing: Standing, now: number): boolean =>
  !standing.banned && now >= standing.until;

/** At least one delta of it was found good, and none bad since. */
export const trusted = (standing: Standing): boolean => standing.passed > 0 && !standing.banned;

/** Past its probation: more than one delta of it was found good, and none bad since. */
export const established = ({ passed, banned }: Standing): boolean => passed >= PROBATION && !banned;

/**
 * On probation, with as many deltas since its last audit as it can lose the credit of: more could not be taken back. The one
 * audit that it passed may have come by chance, and its next may not be affordable for as long as the run lasts.
 */
export const overdue = ({ passed, unproven }: Standing): boolean =>
  passed < PROBATION && unproven.length >= MAX_UNPROVEN;

/**
 * Trusted now, or until a roll-back: or a provoked one would have garbage of new keys weigh as much as anybody's.
 */
export const trustedOrLapsed = (standing: Standing): boolean => trusted(standing) || standing.lapsed === true;

/** Whether nobody is trusted, nor was until a roll-back. */
export function trustsNobody({ standings }: Trust): boolean {
  for (const standing of standings.values()) if (trustedOrLapsed(standing)) return false;
  return true;
}

/** The weight of its deltas: halved by every strike. */
export const reputation = ({ strikes, banned }: Standing): number => (banned ? 0 : 1 / 2 ** strikes);

/**
 * How likely a delta of it is to be audited: the first ones surely, a veteran's ever less, never below 5%. What did harm where
 * it was merged is audited beside (doubt.ts).
 */
export function auditChance({ passed, streak, strikes }: Standing): number {
  const least = Math.min(1, MIN_CHANCE * CHANCE_PER_STRIKE ** strikes);
  return passed < PROBATION ? 1 : Math.max(least, Math.min(1, 1 / (2 * streak)));
}

/**
 * Whether the ticket at this position is a fresh one, which the server can recompute: one in so many of those of the
 * trusted, and none of a newcomer's, for whose moments it would be too soon.
 */
export const isFreshAt = (position: number): boolean => position % FRESH_EVERY === FRESH_EVERY - 1;

/** Something of it was accepted. */
export function seen(trust: Trust, volunteer: VolunteerKey, ticket: TicketId): Trust {
  const { streak, unproven, passed: audits, harm = NO_HARM, doubted = [] } = standingOf(trust, volunteer);
  return change(trust, volunteer, {
    streak: streak + 1,
    unproven: audits < PROBATION ? [...unproven.slice(1 - MAX_UNPROVEN), ticket] : [],
    doubted: isNone(harm) ? [] : [...doubted.slice(1 - MAX_DOUBTED), ticket],
  });
}

/**
 * What deltas that were merged into `version` did there was measured: evidence of slow harm, or against it. Of a version
 * that was taken back it is no measure for others.
 */
export function weighed(
  trust: Trust,
  version: number,
  effects: readonly DeltaEffect[],
  takenBack = false,
): Trust {
  const usual = (trust.usual.effects ?? []).map(({ value }) => value);
  const values = effects.map(({ effect }) => effect);
  const scoreOf = scorer(usual, values);
  const scoresOf = partScorers(trust.usual, effects);
  let next = trust;
  for (const { volunteer, effect, parts = [] } of effects) {
    const before = standingOf(next, volunteer);
    if (scoreOf !== undefined) {
      const harm = withScore(before.harm ?? NO_HARM, scoreOf(effect));
      next = change(next, volunteer, { harm, ...(isNone(harm) && { doubted: [] }) });
    }
    if (!scoresOf.some((score) => score !== undefined)) continue;
    const scores = parts.map((value, part) => scoresOf[part]?.(value));
    const harms = withScores(before.harmInParts ?? [], scores);
    next = change(next, volunteer, { harmInParts: harms.every(isNone) ? [] : harms });
  }
  return takenBack ? next : { ...next, usual: withEffects(trust.usual, version, effects) };
}

/** By part, how its effect counts; a part that the version's deltas do not have has none. */
function partScorers({ parts: late = [] }: Usual, effects: readonly DeltaEffect[]) {
  const of = (from: readonly (readonly number[])[], part: number) =>
    from.flatMap((values) => values[part] ?? []);
  const here = effects.map(({ parts = [] }) => parts);
  const before = late.map(({ value }) => value);
  return (here[0] ?? []).map((_, part) => scorer(of(before, part), of(here, part), PART_SCALE));
}

/** Whether enough was measured of what it sent to blame it for slow harm. */
export const doesHarm = ({ harm = NO_HARM, harmInParts = [] }: Standing): boolean =>
  isShown(harm) || (harmInParts.length > 0 && isShownInParts(harmInParts));

/** Whether so much speaks for slow harm that what it sends is worth measuring well. */
export const isSuspected = ({ harm = NO_HARM, harmInParts = [] }: Standing): boolean =>
  isSuspicious(harm) || (harmInParts.length > 0 && isSuspiciousInParts(harmInParts));

/** Deltas whose credit a volunteer loses that is found bad, beside that of the delta itself. */
export const creditLost = ({ unproven, doubted = [] }: Standing): readonly TicketId[] => [
  ...new Set([...unproven, ...doubted]),
];

/** Something of it was merged into `version`. */
export const merged = (trust: Trust, volunteer: VolunteerKey, version: number): Trust =>
  change(trust, volunteer, { merged: version });

/** An audit found this delta of it good when `version` was the newest. */
export function recordPass(trust: Trust, volunteer: VolunteerKey, ticket: TicketId, version = 0): Trust {
  const before = standingOf(trust, volunteer);
  const forgiven = before.strikes > 0 && (before.passed + 1) % FORGIVEN_AFTER === 0 ? 1 : 0;
  return change(trust, volunteer, {
    passed: before.passed + 1,
    ...{ proven: version, lapsed: false },
    strikes: before.strikes - forgiven,
    unproven: before.unproven.slice(before.unproven.indexOf(ticket) + 1),
  });
}

/** A delta of it was found bad: trust is gone, and it stays out for a while. */
export function addStrike(trust: Trust, volunteer: VolunteerKey, now: number): Trust {
  const strikes = Math.min(MAX_STRIKES, standingOf(trust, volunteer).strikes + 1);
  const until = now + QUARANTINE_MS * 4 ** (strikes - 1);
  return change(trust, volunteer, {
    ...{ passed: 0, streak: 0, strikes, until, unproven: [], doubted: [] },
    ...{ harm: NO_HARM, harmInParts: [], lapsed: false },
  });
}

/** Applies the operator's ruling. A forgiven volunteer starts over. */
export const applyRuling = (trust: Trust, volunteer: VolunteerKey, banned: boolean): Trust =>
  change(trust, volunteer, banned ? { banned, passed: 0, streak: 0 } : NEWCOMER);

/**
 * The run goes back to `version`: everyone with a part in those after it, or that passed an audit since, is a newcomer
 * again, to be audited first, and what was learned since is forgotten.
 */
export function resetSince(trust: Trust, version: number): Trust {
  const standings = new Map(trust.standings);
  for (const [volunteer, standing] of standings) {
    const { merged: into, proven = 0, lapsed = false } = standing;
    if (into <= version && proven <= version) continue;
    const again = { passed: 0, streak: 0, lapsed: lapsed || trusted(standing) };
    standings.set(volunteer, { ...standing, ...again });
  }
  return { standings, usual: upTo(trust.usual, version) };
}

function change(trust: Trust, volunteer: VolunteerKey, changes: Partial<Standing>): Trust {
  const standing = { ...standingOf(trust, volunteer), ...changes };
  const standings = AgedMap.of(trust.standings).with(volunteer, standing);
  if (standings.size <= MAX_STANDINGS) return { ...trust, standings };
  return { ...trust, standings: standings.without([leastOf(standings)]) };
}

/** The volunteer to forget: the longest untouched without a record worth keeping, or else the longest untouched. */
function leastOf(standings: Trust["standings"]): VolunteerKey {
  let first: VolunteerKey | undefined;
  for (const [volunteer, { passed: audits, strikes, banned }] of standings) {
    first ??= volunteer;
    if (audits === 0 && strikes === 0 && !banned) return volunteer;
  }
  return first!; // called with more than MAX_STANDINGS of them
}
