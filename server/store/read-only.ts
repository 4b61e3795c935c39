import { type Files, join } from "./files.ts";
import { Journal } from "./journal.ts";
import { type Index, type Shelf, type Store, StoreError } from "./store.ts";

const DIRECTORY: Record<Shelf, string> = { run: "", snapshots: "snapshots", diffs: "diffs" };

/**
 * A data directory's store that nothing can be written to, also while a server uses it: its journal is what
 * was there whole when it was opened, and its index knows nothing.
 */
export async function readOnlyStore(files: Files): Promise<Store> {
  const journal = await Journal.read(files, { salt: () => 0 });
  const pathOf = (shelf: Shelf, name: string) => join(DIRECTORY[shelf], name);
  const refuse = () => Promise.reject(new StoreError("this store was opened for reading"));
  return {
    append: refuse,
    records: (from) => journal.records(from),
    read: (sequence) => journal.read(sequence),
    length: journal.length,
    strip: refuse,
    put: refuse,
    get: (shelf, name) => files.read(pathOf(shelf, name)),
    list: (shelf) => files.list(DIRECTORY[shelf]),
    remove: refuse,
    deposed: new AbortController().signal,
    index: NO_INDEX,
    close: async () => {},
  };
}

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
