import { PACE_BATCHES } from "../../protocol/pace.ts";
import type { RoundDeps } from "./deps.ts";
import { speedOf } from "./device/probe.ts";
import type { LocalState } from "./local-state.ts";
import type { Work } from "./prefetch.ts";
import { restOf } from "./time.ts";

/** Milliseconds that each micro-batch is timed, about, or one step if that takes longer. */
const TIMED_MS = 40;
/** Milliseconds after which no larger micro-batch is begun, if it would probably take longer. */
const MAX_MS = 400;
/** How many times as long a step on twice as many sequences takes, at most. */
const NEXT = 2;
/**
 * Parameters above which nothing is measured: a step of one sequence keeps a device busy by then, and moments and residual, three
 * vectors of them, would come off it for the measurement.
 */
const MAX_PARAMETERS = 2 ** 24;
/** A micro-batch that is larger than any ticket's is worth its memory from this many times the speed of half as many sequences. */
const WORTH_MORE = 1.5;

/** Whether a run whose largest micro-batch and model are of these sizes has anything to choose by speeds. */
export const isWorthwhile = (batch: number, parameters: number): boolean =>
  batch > 1 && parameters <= MAX_PARAMETERS;

/**
 * Measures how fast the device trains at each size of a micro-batch, with the ticket's optimiser. The next requests for
 * work report it (rule T6). Moments and residual are taken off the device first. A slow
 * device measures the smallest alone; what lies between that and the ticket's own, which took `stepMs`, is taken to lie on a
 * straight line. Where no ticket has more than one sequence there is nothing to choose, and nothing is measured; nor is it with a
 * large model.
 */
export async function measureSpeeds(
  { trainers, manifest, control, clock, sleep, throughput }: RoundDeps,
  localState: LocalState,
  { ticket, weights }: Pick<Work, "ticket" | "weights">,
  stepMs: number,
): Promise<void> {
  if (!isWorthwhile(manifest.batch, weights.length)) return;
  await localState.park();
  const began = clock();
  /** Milliseconds of a step of each size. */
  const times: number[] = [];
  const measure = async (batch: number, capacity: number) => {
    await control.checkpoint();
    const trainer = await trainers.take(capacity, ticket.inner);
    const begun = clock();
    await trainer.load(weights);
    const speed = await speedOf(trainer, manifest.model, batch, clock, TIMED_MS, TIMED_MS);
    await sleep(restOf(clock() - begun, control.share), control.signal);
    return (1_000 * batch * manifest.model.context) / speed;
  };
  const own = PACE_BATCHES.findLastIndex((size) => size <= ticket.batch);
  for (const [i, batch] of PACE_BATCHES.entries()) {
    const before = times.at(-1) ?? 0;
    if (batch > manifest.batch || clock() - began + NEXT * before > MAX_MS) break;
    if (i > own && (2 * times.at(-2)!) / before < WORTH_MORE) break;
    // A trainer for more sequences is another one: it is made once, for all that may come.
    const capacity = i > own ? Math.min(manifest.batch, PACE_BATCHES.at(-1)!) : batch;
    times.push(await measure(batch, capacity));
  }
  const last = times.length - 1;
  if (last < own) {
    const from = PACE_BATCHES[last]!;
    const more = Math.max(0, stepMs - times[last]!) / (ticket.batch - from);
    for (let i = last + 1; i <= own; i++) times.push(times[last]! + more * (PACE_BATCHES[i]! - from));
  }
  const { context } = manifest.model;
  throughput.speeds = times.map((ms, i) => (1_000 * PACE_BATCHES[i]! * context) / Math.max(ms, 0.01));
}
