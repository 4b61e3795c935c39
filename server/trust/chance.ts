import type { Change, Measured } from "../../protocol/shared-audit.ts";
import { MAX_HARM, SURE } from "./bounds.ts";

/**
 * Cosine with the server's own from which a delta was surely trained: honest ones that were wrongly blamed had .5 to .6, while
 * noise has .01 and nothing 0.
 */
const MIN_COSINE = 0.3;

/**
 * Whether chance took a delta the wrong way: it goes the way of the server's own, and costs no more than that one gains, or on gate text than
 * one with that gain may. Where a
 * model hardly learns for a while, a ticket takes its loss up nearly as often as down, whoever trains it. Of that chance the
 * errors of a measurement say nothing: one honest delta in two hundred gained nothing by all looks.
 */
export function isChance(delta: Pick<Measured, "assigned" | "gate">, own: Change, cosine: number): boolean {
  const gain = own.before - own.after;
  const cost = ({ before, after, error = 0 }: Change) => after - before - SURE * error;
  return cosine >= MIN_COSINE && cost(delta.assigned) <= gain && cost(delta.gate) <= MAX_HARM * gain;
}
