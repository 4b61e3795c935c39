import type { Pace } from "../../protocol/pace.ts";

/** Bounds of a ticket's length: fewer steps are not worth sending, more learn less (docs/LEARNING.md). */
const MIN_STEPS = 3;
const MAX_STEPS = 30;
/** Steps of a ticket for a volunteer without measurements. */
export const USUAL_STEPS = 10;
/** Seconds of training in a ticket, at least: versions would else come faster than a small server merges them. */
const MIN_SECONDS = 1;
/** Times the link that training takes: there is then no need to train ahead of what is merged. */
const LINK_TIMES = 7;

/**
 * Volunteers at work above which tickets are shorter in proportion, so that a version has as many steps: more versions
 * learn more than larger ones.
 */
const FEW = 8;
/**
 * Part of that length where its volunteer waited for its turn through a whole version: such a ticket need not be worth
 * its link.
 */
const CROWDED = 1 / 2;

/** A ticket's sizes in a run. */
export interface Weight {
  /** Tokens of one inner step. */
  readonly tokensPerStep: number;
  /** Bytes of one delta, and of one diff. */
  readonly deltaBytes: number;
  readonly diffBytes: number;
}

/**
 * How many inner steps suit a volunteer: as few as its link allows, because many small versions learn more than
 * few large ones. But so many that sending a delta and fetching a diff take an eighth of its time at most: a volunteer
 * that has to train ahead of what is merged sends deltas a version old, which costs more than longer tickets do.
 * `working` are those usually at work; `crowded` is whether this one waited for its turn through a whole version.
 */
export function stepsFor(
  { tokensPerStep, deltaBytes, diffBytes }: Weight,
  pace: Pace,
  working: number,
  crowded: boolean,
): number {
  const { speed, uplink, downlink } = pace;
  if (speed === undefined || uplink === undefined) return USUAL_STEPS;
  const fetching = downlink === undefined ? 0 : diffBytes / downlink;
  const link = LINK_TIMES * (deltaBytes / uplink + fetching);
  const seconds = Math.max(MIN_SECONDS, link) * Math.min(1, FEW / working) * (crowded ? CROWDED : 1);
  const steps = Math.ceil((seconds * speed) / tokensPerStep);
  return Math.max(MIN_STEPS, Math.min(MAX_STEPS, steps));
}
