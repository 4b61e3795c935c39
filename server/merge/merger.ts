import type { RecordPlace } from "../store/store.ts";
import { WeightedMean } from "./mean.ts";
import type { MeanAway } from "./means.ts";
import { advance, type Merged } from "./merge.ts";
import type { MergeRule } from "./step.ts";
import type { Vectors } from "./vectors.ts";

/** A version to be made. */
export interface MergeJob {
  /** Of the version before; they stay as they are. */
  readonly vectors: Vectors;
  /** One for each frame. */
  readonly weights: readonly number[];
  /** What a file has before the new x: one that is made there need not be copied, nor hashed on this thread; a hint. */
  readonly head?: Uint8Array;
  /** The journal records that hold the frames, for threads that read them themselves. */
  readonly places?: readonly RecordPlace[];
  /** The same for somebody elsewhere who can read the journal. */
  readonly away?: MeanAway;
  /** Vectors of an earlier version that are being stored: a merger that uses its memory again leaves theirs alone. */
  readonly storing?: Vectors;
  /** In the order of the merge, each looked at once: a version may have more of them than memory holds. */
  readonly frames: AsyncIterable<Uint8Array<ArrayBuffer>>;
}

/** Where versions are made; the same job gives the same bytes in every place. */
export interface Merger {
  /** One job at a time. Rejects with `not-finite` where the result is not, and with what `frames` rejects with. */
  merge(rule: MergeRule, job: MergeJob): Promise<Merged>;
}

/** Merges on the thread that asks. */
export const mergeHere: Merger = {
  async merge(rule, { vectors, weights, frames }) {
    const mean = new WeightedMean(vectors.x.length, weights, rule.total);
    let position = 0;
    for await (const frame of frames) mean.add(frame, weights[position++]!);
    return advance(vectors, mean.values, weights, rule);
  },
};
