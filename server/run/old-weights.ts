import { addFrame } from "../../protocol/frame.ts";
import type { Store } from "../store/store.ts";
import type { SnapshotPlace } from "./checkpoint.ts";
import type { Diffs } from "./diffs.ts";
import type { Task } from "./options.ts";
import { readSnapshotFile } from "./snapshots.ts";

export interface StoredBytes {
  readonly store: Pick<Store, "get">;
  readonly diffs: Pick<Diffs, "read">;
}

/**
 * The weights of a version that need not be stored whole, from the first of `places` that diffs lead away from to there;
 * undefined where none does. Back from a later version they are off by rounding: good enough to measure a delta on, and
 * nothing to publish.
 */
export async function oldWeights(
  { store, diffs }: StoredBytes,
  task: Pick<Task, "decode">,
  places: readonly SnapshotPlace[],
  version: number,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  for (const place of places) {
    const weights = await walk({ store, diffs }, task, place, version);
    if (weights !== undefined) return weights;
  }
  return undefined;
}

async function walk(
  { store, diffs }: StoredBytes,
  task: Pick<Task, "decode">,
  place: SnapshotPlace,
  version: number,
): Promise<Float32Array<ArrayBuffer> | undefined> {
  const file = await readSnapshotFile(store, place.hash);
  if (file === undefined) return undefined;
  const weights = task.decode(file).slice();
  const way = version < place.version ? -1 : 1;
  for (let at = place.version; at !== version; at += way) {
    // No diff leads across a roll-back.
    const diff = await diffs.read(way < 0 ? at - 1 : at);
    if (diff === undefined) return undefined;
    addFrame(diff, weights, way);
  }
  return weights;
}
