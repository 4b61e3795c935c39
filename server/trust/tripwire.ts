import type { HeldOutPoint } from "../../protocol/status.ts";

/** Measured versions that the newest loss is held against. */
const LOOK_BACK = 32;
/** Measured versions before the wire is armed: before, a loss says little. */
const ARMED_AFTER = 3;

/**
 * The version to go back to where the newest held-out loss lies more than `bound` (a part) above the lowest of
 * late: the one that had the lowest. Undefined while nothing is wrong. Chance does not trip it: evaluations
 * are of one fixed slice, so that two versions' losses differ by what was learned alone.
 */
export function rolledBackTo(
  heldOut: readonly HeldOutPoint[],
  newest: HeldOutPoint,
  bound: number,
): number | undefined {
  if (heldOut.length < ARMED_AFTER) return undefined;
  const late = heldOut.slice(-LOOK_BACK);
  const best = late.reduce((least, point) => (point.loss < least.loss ? point : least));
  return newest.loss > best.loss * (1 + bound) ? best.version : undefined;
}
