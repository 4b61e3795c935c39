import type { Pace } from "../../protocol/pace.ts";

/** Bounds of a ticket's length: fewer steps are not worth sending, more learn less (docs/LEARNING.md). */
const FEWEST_STEPS = 3;
const MOST_STEPS = 30;
/** A ticket for who has measured nothing yet. */
export const USUAL_STEPS = 10;
/** No ticket is meant to be shorter: versions would come faster than a small server merges them. */
const SHORTEST_SECONDS = 0.5;
/** Training takes so many times as long as the slower direction of the link, which works meanwhile. */
const SLACK = 1.25;

/** What a ticket of a run weighs. */
export interface Weight {
  /** Tokens of one inner step. */
  readonly tokensPerStep: number;
  /** Bytes of one delta, and of one diff. */
  readonly deltaBytes: number;
  readonly diffBytes: number;
}

/**
 * How many inner steps suit a volunteer: as few as its link allows, because many small versions learn more than
 * few large ones. A delta is sent and a diff fetched while the next ticket is trained, so training has only to
 * take a little longer than the slower of the two.
 */
export function stepsFor({ tokensPerStep, deltaBytes, diffBytes }: Weight, pace: Pace): number {
  const { speed, uplink, downlink } = pace;
  if (speed === undefined || uplink === undefined) return USUAL_STEPS;
  const fetching = downlink === undefined ? 0 : diffBytes / downlink;
  const link = SLACK * Math.max(deltaBytes / uplink, fetching);
  const steps = Math.ceil((Math.max(SHORTEST_SECONDS, link) * speed) / tokensPerStep);
  return Math.max(FEWEST_STEPS, Math.min(MOST_STEPS, steps));
}
