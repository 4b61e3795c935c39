import type { ReadonlyList } from "../lib/append-list.ts";
import { medianOf } from "../lib/median.ts";

/** Milliseconds a version stays open after its first delta, at least, for those that come at about the same time. */
const GATHER_MS = 500;
/** Part of the median time of deltas that a version stays open after its quorum. */
const GRACE = 0.1;
/** Milliseconds of any wait, at most: a longer one would look like a run that is stuck. */
const MAX_WAIT_MS = 40_000;
/** Times the median time of deltas that a delta is waited for. */
const PATIENCE = 1.25;
/** Volunteers at work up to which the wait is longer: one of them is a half or a third of a version. */
const FEW = 3;
const PATIENCE_OF_FEW = 2;
/**
 * Milliseconds a request for work waits for the version that its own delta makes, at most; for its turn MAX_TURN_MS
 * (protocol/limits.ts).
 */
export const MAX_HOLD_MS = 10_000;

/** Part of the time in which most deltas come during which a version has just opened. */
const JUST_OPENED = 0.1;

/** Part of the volunteers at work whose deltas make a version: the slowest quarter is not waited for. */
export const QUORUM_SHARE = 3 / 4;
/** Deltas of the largest quorum: more in one version teach it little (docs/LEARNING.md). */
const MAX_QUORUM = 64;

/** Deltas that are enough for a version on which this many volunteers are at work. */
export function quorumOf(least: number, working: number): number {
  return Math.max(least, Math.min(MAX_QUORUM, Math.ceil(QUORUM_SHARE * working)));
}

interface Times {
  readonly opened: number;
  readonly came: Pick<ReadonlyList<number>, "at" | "length">;
  readonly took: readonly number[];
}

/**
 * The time of the run clock at which a version closes whose deltas came at these times: with the last delta of those at
 * work; else a moment after its quorum, so that a delta just about to come is not a version late; and at the latest when
 * most would have come since it opened, so that a volunteer that left in the middle of a ticket holds up nobody for long.
 */
export function closesAt(
  { opened, came, took }: Times,
  { least, working, usual }: { least: number; working: number; usual: number },
): number {
  const [first, last] = [came.at(0), came.at(-1)];
  if (first === undefined || last === undefined) return Number.POSITIVE_INFINITY;
  if (came.length >= Math.max(least, working)) return last;
  const quorum = came.at(quorumOf(least, working) - 1) ?? Number.POSITIVE_INFINITY;
  const deadline = Math.max(first + GATHER_MS, opened + Math.min(MAX_WAIT_MS, expectedWithin(took, usual)));
  return Math.min(quorum + GRACE * (medianOf(took) ?? 0), deadline);
}

/**
 * The age up to which a ticket's delta is still to be expected, ms; `took` is what the newest deltas took, `usual`
 * how many are usually at work.
 */
export function expectedWithin(took: readonly number[], usual: number): number {
  return (usual <= FEW ? PATIENCE_OF_FEW : PATIENCE) * (medianOf(took) ?? 0);
}

/**
 * The time of the run clock until which the sender of a delta at `sent` waits for the version that will have it. A
 * second ticket for the open version would be one version late when it is done, and late deltas cost more learning
 * than waiting does (docs/LEARNING.md). But a sender at a time when the version had just opened would wait too long, and
 * may finish another before it closes. `expected` is the age up to which deltas are (see {@link expectedWithin}).
 */
export function heldUntil(opened: number, sent: number, expected: number): number {
  return sent - opened < JUST_OPENED * expected ? sent : sent + expected;
}
