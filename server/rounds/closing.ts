import { medianOf } from "../trust/median.ts";

/** Bounds of the deadline: no wait is too short to gather anything, none so long that a run seems stuck. */
const SHORTEST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 40_000;

/** Deltas of the largest quorum: more in one version teach it little (docs/LEARNING.md). */
const LARGEST_QUORUM = 16;

/**
 * One delta for each of those at work: then a volunteer downloads about one diff a ticket, and a delta is hardly
 * ever older than a version when it is merged.
 */
export function quorumOf(least: number, active: number): number {
  return Math.max(least, Math.min(LARGEST_QUORUM, active));
}

/**
 * How long after its first delta a version waits for a quorum: the median time deltas took lately plus three
 * median absolute deviations, so that stragglers are left to the next version and a lone volunteer is not
 * held up.
 */
export function waitOf(took: readonly number[]): number {
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, patienceOf(took)));
}

/** The time within which all but stragglers' deltas come, ms: the median and three median absolute deviations. */
function patienceOf(took: readonly number[]): number {
  const middle = median(took);
  return middle + 3 * median(took.map((ms) => Math.abs(ms - middle)));
}

/**
 * The age up to which a ticket's delta is still to be expected, ms. Where all take alike there is no deviation, and
 * half of them take longer than the median: so half as long again, at least.
 */
export function expectedWithin(took: readonly number[]): number {
  return Math.max(1.5 * median(took), patienceOf(took));
}

const median = (values: readonly number[]): number => medianOf(values) ?? 0;
