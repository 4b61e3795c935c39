import { shelvesOf } from "./file-store.ts";
import type { Files } from "./files.ts";
import { Journal } from "./journal.ts";
import { type Index, type Store, StoreError } from "./store.ts";

/**
 * A data directory's store that nothing can be written to, also while a server uses it: its journal is what
 * was there whole when it was opened, and its index knows nothing.
 */
export async function readOnlyStore(files: Files): Promise<Store> {
  const journal = await Journal.read(files, { salt: () => 0 });
  return {
    append: refuseToWrite,
    records: (from) => journal.records(from),
    read: (sequence) => journal.read(sequence),
    length: journal.length,
    strip: refuseToWrite,
    put: refuseToWrite,
    ...shelvesOf(files),
    remove: refuseToWrite,
    deposed: new AbortController().signal,
    index: NO_INDEX,
    close: async () => {},
  };
}

/** Rejects whatever would write to a store that was opened for reading. */
export const refuseToWrite = (): Promise<never> =>
  Promise.reject(new StoreError("this store was opened for reading"));

/** Takes nothing in: whoever reads the whole journal once needs no look-ups. */
export const NO_INDEX: Index = {
  applied: -1,
  run: undefined,
  apply() {},
  clear() {},
  delta: () => undefined,
  end: () => undefined,
  version: () => undefined,
  deltasOf: () => [],
  credit: () => ({ tokens: 0, recent: 0, merged: 0, pending: 0, discarded: 0 }),
  close() {},
};
