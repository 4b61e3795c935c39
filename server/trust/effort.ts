import type { Measured } from "../../protocol/shared-audit.ts";
import type { Look } from "./budget.ts";
import { type Usual, usualGain } from "./usual.ts";

/**
 * Part of what others gain on their text below which a delta that would pass is compared with the server's own training of
 * its ticket: it may be one step of five, made longer, of somebody that trains as it should where it can be recomputed.
 */
const LITTLE = 1 / 2;
/**
 * Part of what the server's own delta gains on the ticket's text below which one was not trained as the ticket says. In the
 * bench an honest one gained .4 of it and more, 19 times in 20, though it began with other moments; one step of five .2.
 */
const MIN_EFFORT = 1 / 3;
/** Standard errors by which it must lie below. */
const SURE = 1.5;

/** Micro-batches of the ticket's text in which the two are compared: more than of gate text, where nothing is asked. */
const BATCHES = 8;
export const EFFORT: Look = { batches: BATCHES, own: true, effort: true };
/** The look by which that training is shown to be steady: what the delta gains is known by then. */
export const STEADY: Look = { batches: 1, own: true };

/** Whether a gain a step is so little that the server should see what its own training would gain. */
export const isLittle = (gain: number, usual: Usual): boolean => gain < LITTLE * usualGain(usual);

type Effects = Pick<Measured, "assigned">;

/** Whether a delta surely gains less than a part of what the server's own does, which surely gains something. */
export function fallsShort({ assigned }: Effects, own: Effects): boolean {
  const [gain, whole] = [assigned, own.assigned].map(({ before, after }) => before - after) as [
    number,
    number,
  ];
  const [error, ownError] = [assigned.error ?? 0, own.assigned.error ?? 0];
  const missed = MIN_EFFORT * whole - gain;
  return whole > SURE * ownError && missed > SURE * Math.hypot(error, MIN_EFFORT * ownError);
}
