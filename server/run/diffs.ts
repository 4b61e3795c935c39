import type { Store } from "../store/store.ts";

const SHELF = "diffs";

/** Diffs by the version they lead away from. */
export const saveDiff = (store: Store, from: number, frame: Uint8Array<ArrayBuffer>) =>
  store.put(SHELF, String(from), frame);

export const readDiff = (store: Store, from: number) => store.get(SHELF, String(from));

export const dropDiff = (store: Store, from: number) => store.remove(SHELF, String(from));

/** Removes the diffs that lead away from versions before `version`. */
export async function dropDiffs(store: Store, version: number): Promise<void> {
  for (const name of await store.list(SHELF)) if (Number(name) < version) await store.remove(SHELF, name);
}
