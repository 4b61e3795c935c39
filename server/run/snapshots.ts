import type { Hash } from "../../protocol/ids.ts";
import type { Vectors } from "../merge/vectors.ts";
import { type Store, StoreError } from "../store/store.ts";
import { checkpointOf } from "./checkpoint.ts";
import { hashInPieces } from "./large-hash.ts";
import type { Task } from "./options.ts";
import { decodeVectors, encodeVectors } from "./vectors-file.ts";

const SHELF = "snapshots";
const fileOf = (hash: Hash) => `${hash}.safetensors`;
const stateOf = (hash: Hash) => `${hash}.state`;

/** Stores a version whole: the published file, and beside it what only the server needs to go on from it. */
export async function saveSnapshot(
  store: Store,
  hash: Hash,
  file: Uint8Array<ArrayBuffer>,
  vectors: Vectors,
  checkpoint?: Uint8Array<ArrayBuffer>,
): Promise<void> {
  // The published file comes last: where it is, the snapshot is whole.
  await store.put(SHELF, stateOf(hash), encodeVectors(vectors));
  if (checkpoint !== undefined) await store.put(SHELF, checkpointOf(hash), checkpoint);
  await store.put(SHELF, fileOf(hash), file);
}

export const readSnapshotFile = (store: Pick<Store, "get">, hash: Hash) => store.get(SHELF, fileOf(hash));

/** A stored snapshot, verified. Throws a StoreError when it is absent or damaged. */
export async function loadSnapshot(store: Store, task: Task, hash: Hash): Promise<Vectors> {
  const file = await readSnapshotFile(store, hash);
  const state = await store.get(SHELF, stateOf(hash));
  if (file === undefined || state === undefined) throw new StoreError(`snapshot ${hash} is not there`);
  if ((await hashInPieces(file)) !== hash) throw new StoreError(`snapshot ${hash} is damaged`);
  return decodeVectors(state, task.decode(file));
}

/** The names of all that is stored of a snapshot. */
export const namesOf = (hash: Hash) => [fileOf(hash), stateOf(hash), checkpointOf(hash)];

/** The names on the shelf of snapshots, which a run that is opened may let go of. */
export const snapshotNames = (store: Store): Promise<string[]> => store.list(SHELF);

/**
 * Removes what this program knows by name and needs no more; returns the names that are left. Never all that it does not
 * know: a server whose time is over would remove its successor's.
 */
export async function letGoOfSnapshots(
  store: Store,
  known: ReadonlySet<string>,
  kept: readonly Hash[],
): Promise<ReadonlySet<string>> {
  const needed = new Set(kept.flatMap(namesOf));
  for (const name of known) if (!needed.has(name)) await store.remove(SHELF, name);
  return needed;
}

/** The hashes that have a published file. */
export async function storedSnapshots(store: Store): Promise<ReadonlySet<string>> {
  const ending = ".safetensors";
  const names = (await store.list(SHELF)).filter((name) => name.endsWith(ending));
  return new Set(names.map((name) => name.slice(0, -ending.length)));
}
