import type { HeldOutPoint } from "../../protocol/status.ts";

/** Measured versions that the newest loss is compared with. */
const LOOK_BACK = 32;
/** Measured versions before the detector acts: an earlier loss says little. */
const ARMED_AFTER = 3;
/**
 * Times the bound by which a single version must rise to act at once: at the outer rates that learn fastest, a small
 * swarm's version is now and then 30% worse, and the next ones mend it.
 */
const AT_ONCE = 3;
/** What the largest quarter of late rises begins with is chance, so many times over; known after so many rises. */
const CHANCE = 2;
const RISES = 8;
/** On text that is trained on, this part of the bound is harm: less is two versions' usual difference. */
const HARM = 0.5;

/**
 * The version to go back to where held-out loss lies more than `bound` (a part), and what is chance, above the lowest of
 * late: the one that had the lowest. So must two of the newest three, or the newest by far. Undefined while nothing is wrong.
 */
export function rolledBackTo(
  heldOut: readonly HeldOutPoint[],
  newest: HeldOutPoint,
  bound: number,
): number | undefined {
  if (heldOut.length < ARMED_AFTER) return undefined;
  const late = heldOut.slice(-LOOK_BACK);
  const best = late.reduce((least, point) => (point.loss < least.loss ? point : least));
  const rises = late.slice(1).flatMap(({ loss }, i) => (loss > late[i]!.loss ? [loss - late[i]!.loss] : []));
  const large = rises.sort((a, b) => b - a)[rises.length >> 2] ?? 0; // so that one harmed version makes no chance
  const chance = rises.length < RISES ? 0 : CHANCE * large;
  const above = ({ loss }: HeldOutPoint, bounds: number) => loss > best.loss * (1 + bounds * bound) + chance;
  const lasts = above(newest, 1) && late.slice(-2).some((point) => above(point, 1));
  return lasts || above(newest, AT_ONCE) ? best.version : undefined;
}

/**
 * Whether a loss that somebody else has measured is to be measured again: what it is so far from could take the run back, now
 * or, where it is too low, later.
 */
export function isOdd(heldOut: readonly HeldOutPoint[], loss: number, bound: number): boolean {
  const newest = heldOut.at(-1)?.loss ?? Number.NaN;
  const lowest = Math.min(...heldOut.slice(-LOOK_BACK).map((point) => point.loss));
  return !(loss <= lowest * (1 + bound) && loss >= newest / (1 + bound));
}

/**
 * Of versions stored whole the one that is best on text that is trained on, given their losses there and that of the
 * `current` one; undefined where the current one is not much worse. Held-out loss also rises where a text is too small
 * for its model and is learned by heart; there the loss on that text falls, and going back would undo what comes again.
 */
export function harmless<T extends { readonly loss: number }>(
  stored: readonly T[],
  current: number,
  bound: number,
): T | undefined {
  const sound = stored.filter(({ loss }) => Number.isFinite(loss));
  const best = sound.toSorted((a, b) => a.loss - b.loss)[0];
  // NaN is worse than any number.
  return best === undefined || current <= best.loss * (1 + HARM * bound) ? undefined : best;
}

/**
 * Without a look at that text: the newest stored version up to `to`; where none is kept so long, the newest that was
 * measured and lies `bound` below the newest measured loss, so that nothing goes back twice for one reason.
 */
export function reachable(
  stored: readonly number[],
  to: number,
  heldOut: readonly HeldOutPoint[],
  bound: number,
): number | undefined {
  const newest = heldOut.at(-1)?.loss ?? 0;
  const lower = new Set(
    heldOut.filter(({ loss }) => newest > loss * (1 + bound)).map(({ version }) => version),
  );
  const newestFirst = stored.toSorted((a, b) => b - a);
  return newestFirst.find((one) => one <= to) ?? newestFirst.find((one) => lower.has(one));
}
