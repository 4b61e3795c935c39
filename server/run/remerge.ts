import { sha256 } from "../../protocol/identity.ts";
import { merge, type Vectors, type WeightedFrame } from "../merge/merge.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { Founded } from "./genesis.ts";
import { decodeRecord } from "./record.ts";
import type { FrameAt, ToldVersion } from "./story.ts";

/** Merges a version again as it was decided. Throws a StoreError unless it gives the hashes then published. */
export async function remerge(
  store: Store,
  { merging, task }: Pick<Founded, "merging" | "task">,
  before: Vectors,
  { version, hash, diff, merged }: ToldVersion,
): Promise<Vectors> {
  const again = merge(before, await readFrames(store, merged), merging);
  if ((await sha256(task.encode(again.vectors.x))) !== hash) {
    throw new StoreError(`merging version ${version} again does not give the hash that was published`);
  }
  if (diff !== undefined && (await sha256(again.diff)) !== diff) {
    throw new StoreError(`merging version ${version} again does not give the diff that was published`);
  }
  return again.vectors;
}

/** The frames of a closed version with their weights, in its order. */
export async function readFrames(store: Store, merged: readonly FrameAt[]): Promise<WeightedFrame[]> {
  const frames: WeightedFrame[] = [];
  for (const { sequence, weight } of merged) {
    const { frame } = decodeRecord(await store.read(sequence));
    if (frame.length === 0)
      throw new StoreError(`journal record ${sequence} has lost its frame to retention`);
    frames.push({ frame, weight });
  }
  return frames;
}
