import type { Api } from "../../client/transport/api.ts";
import { addFrame } from "../../protocol/frame.ts";

/** A version of the run, as every replica has it. */
export interface Version {
  readonly version: number;
  readonly weights: Float32Array<ArrayBuffer>;
}

/** All versions up to one, brought about by their diffs, as volunteers do (rule B1). */
export async function* versionsUpTo(
  newest: number,
  first: Float32Array<ArrayBuffer>,
  api: Pick<Api, "diff">,
): AsyncGenerator<Version> {
  const weights = first.slice();
  yield { version: 0, weights };
  for (let version = 0; version < newest; version++) {
    addFrame(await api.diff(version, weights.length), weights, 1);
    yield { version: version + 1, weights };
  }
}

/** By how much a loss after version `settled` lay above the lowest of an earlier version, at most; 0 where it never did. */
export function worstRise(losses: readonly number[], settled: number): number {
  let lowest = Number.POSITIVE_INFINITY;
  let worst = 0;
  losses.forEach((loss, version) => {
    if (version > settled) worst = Math.max(worst, loss - lowest);
    lowest = Math.min(lowest, loss);
  });
  return worst;
}
