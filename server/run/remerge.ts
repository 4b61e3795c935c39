import { sha256 } from "../../protocol/identity.ts";
import { NotMerged } from "../merge/merge-line.ts";
import { type MergeJob, type Merger, mergeHere } from "../merge/merger.ts";
import type { Vectors } from "../merge/vectors.ts";
import { splitRecord } from "../store/record-parts.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { RunDefinition } from "./genesis.ts";
import { hashInPieces } from "./large-hash.ts";
import { mergeTermsOf } from "./merge-rule.ts";
import type { FrameAt } from "./projections.ts";
import type { ReplayedVersion } from "./replay.ts";
import { loadSnapshot } from "./snapshots.ts";

/** Merges a version again as it was decided. Throws a StoreError unless it gives the hashes then published. */
export async function remerge(
  store: Store,
  { merging, task }: Pick<RunDefinition, "merging" | "task">,
  before: Vectors,
  { version, hash, diff, merged, rolledBack, ...terms }: ReplayedVersion,
  merger: Merger = mergeHere,
): Promise<Vectors> {
  if (rolledBack) return loadSnapshot(store, task, hash);
  const rule = merging({ version: version - 1, ...mergeTermsOf(terms) });
  const { head } = task;
  const job = () => jobOf(store, before, merged, head && { head });
  const again = await merger.merge(rule, job()).catch((error: unknown) => {
    if (error instanceof NotMerged) return mergeHere.merge(rule, job());
    throw error;
  });
  if ((again.model ?? (await hashInPieces(task.encode(again.vectors.x)))) !== hash) {
    throw new StoreError(`merging version ${version} again does not give the hash that was published`);
  }
  if (diff !== undefined && (await sha256(again.diff)) !== diff) {
    throw new StoreError(`merging version ${version} again does not give the diff that was published`);
  }
  return again.vectors;
}

/** The merge of a closed version: its frames are read from the journal one by one, in its order. */
export function jobOf(
  store: Store,
  vectors: Vectors,
  merged: readonly FrameAt[],
  { frameBytes, ...about }: Pick<MergeJob, "head" | "storing"> & { readonly frameBytes?: number } = {},
): MergeJob {
  const places = merged.flatMap(({ sequence }) => store.locate?.(sequence) ?? []);
  return {
    vectors,
    ...about,
    weights: merged.map(({ weight }) => weight),
    ...(places.length === merged.length && { places }),
    ...(frameBytes !== undefined && {
      away: { records: merged.map(({ sequence }) => sequence), frameBytes },
    }),
    frames: framesOf(store, merged),
  };
}

async function* framesOf(store: Store, merged: readonly FrameAt[]) {
  for (const { sequence } of merged) {
    const frame = (await store.frame?.(sequence)) ?? splitRecord(await store.read(sequence)).frame;
    if (frame.length === 0)
      throw new StoreError(`journal record ${sequence} has lost its frame to retention`);
    yield frame;
  }
}
