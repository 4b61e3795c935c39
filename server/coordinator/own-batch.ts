import { PACE_BATCHES, type Pace } from "../../protocol/pace.ts";
import type { RoundRules } from "./rounds.ts";

/** Times that a step takes with twice as many sequences, at most, for these to be as good as free. */
const NEARLY_FREE = 1.25;
/** Steps that a ticket's time has for them then, at least. */
const STEPS_LEFT = 4;
/** Steps that are to fit into a ticket's time: of fewer, the only one may end after it. */
const FEWEST_STEPS = 2;

/**
 * Sequences of a volunteer's micro-batch: those that suit the crowd (`usual`), unless its own measurements say otherwise.
 * Where a device takes hardly longer for twice as many, because starting a step costs more than computing it, it gets twice
 * as many. Where two steps are too long for the ticket's time, it gets half as many. A volunteer that measured nothing, or
 * lied, has changed nobody's ticket but its own.
 */
export function ownBatch(
  { batch, most, inner, context }: Pick<RoundRules, "batch" | "most" | "inner" | "context">,
  usual: number,
  pace: Pick<Pace, "speeds">,
  trainFor: number,
): number {
  if (batch !== undefined) return usual;
  const stepMs = stepTimes(pace, context);
  const largest = inner === "adamw" ? most.adamw : most.muon; // as the manifest says (run/micro-batch.ts)
  let size = usual;
  const doubles = () =>
    2 * size <= largest &&
    stepMs(2 * size) <= NEARLY_FREE * stepMs(size) &&
    STEPS_LEFT * stepMs(2 * size) <= trainFor;
  while (doubles()) size *= 2;
  const half = () => Math.floor(size / 2);
  while (size > 1 && FEWEST_STEPS * stepMs(size) > trainFor && stepMs(half()) < stepMs(size)) size = half();
  return size;
}

/**
 * Milliseconds of a step of this many sequences, on a straight line between the two measured sizes beside it, or a little beyond
 * them; NaN, with which nothing compares, where that is not known.
 */
function stepTimes({ speeds = [] }: Pick<Pace, "speeds">, context: number): (size: number) => number {
  const known = PACE_BATCHES.slice(0, speeds.length).map((size, i) => ({
    size,
    ms: (1_000 * size * context) / speeds[i]!,
  }));
  return (size) => {
    const last = known.at(-1);
    if (last === undefined || size >= 2 * last.size) return Number.NaN;
    const below = known.findLastIndex((one) => one.size <= size);
    const [from = last, to = last] = known.slice(Math.min(below, known.length - 2));
    if (from.size === to.size) return size === from.size ? from.ms : Number.NaN;
    return from.ms + ((to.ms - from.ms) * (size - from.size)) / (to.size - from.size);
  };
}
