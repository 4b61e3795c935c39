import type { RunStatus, Sample } from "../../protocol/status.ts";

export type Samples = RunStatus["samples"];

/** Times the version before that each kept sample is of: equal steps of what a run learns. */
const GROWTH = 4;

/**
 * Early versions' samples, oldest first, for a page to compare with the newest: the first ever, then one
 * whenever the run has grown fourfold, which even a run of a million versions does ten times.
 */
export function keepSample(samples: Samples, sample: Sample): Samples {
  const last = samples.at(-1)?.version;
  if (last !== undefined && sample.version < Math.max(last + 1, last * GROWTH)) return samples;
  return [...samples, sample];
}
