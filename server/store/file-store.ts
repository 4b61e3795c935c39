import { asRefusal } from "./durability.ts";
import { type Files, join, tidy, writeDurably } from "./files.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import { joinRecord, withoutFrame } from "./record-parts.ts";
import type { Index, Shelf, Store } from "./store.ts";

const SECRET_MODE = 0o600;

/** `run` is the data directory itself; it is shared with the corpus, so nothing is tidied away there. */
const DIRECTORY: Record<Shelf, string> = { run: "", snapshots: "snapshots", diffs: "diffs" };
/** What reads a run's files, whether it writes them or not. */
export const shelvesOf = (files: Files): Pick<Store, "get" | "list"> => ({
  get: (shelf, name) => files.read(pathOf(shelf, name)),
  list: (shelf) => files.list(DIRECTORY[shelf]),
});
const pathOf = (shelf: Shelf, name: string) => join(DIRECTORY[shelf], name);

export interface FileStore extends Store {
  /** Appends events' records, with their frames, in one block: all of them are durable when it resolves, or none is. */
  appendAll(records: readonly { readonly head: Uint8Array; readonly frame?: Uint8Array }[]): Promise<number>;
}

/** A run in files: journal/, snapshots/, diffs/, and run.json and server.key beside them. */
export async function fileStore(files: Files, index: Index, options: JournalOptions): Promise<FileStore> {
  for (const shelf of ["snapshots", "diffs"] as const) {
    await files.makeDirectory(DIRECTORY[shelf]);
    await tidy(files, DIRECTORY[shelf]);
  }
  const journal = await Journal.open(files, options);
  await files.syncDirectory("");
  return {
    append: (head, frame) => journal.append(joinRecord(head, frame)),
    appendAll: (records) => journal.appendAll(records.map(({ head, frame }) => joinRecord(head, frame))),
    records: (from) => journal.records(from),
    read: (sequence) => journal.read(sequence),
    locate: (sequence) => journal.locate(sequence),
    get length() {
      return journal.length;
    },
    async strip(before) {
      await journal.fence();
      await journal.strip(before, withoutFrame);
    },
    async put(shelf, name, bytes, secret) {
      try {
        await journal.fence();
        await writeDurably(files, pathOf(shelf, name), bytes, secret && SECRET_MODE);
      } catch (error) {
        throw asRefusal(error);
      }
    },
    ...shelvesOf(files),
    async remove(shelf, name) {
      await journal.fence();
      await files.remove(pathOf(shelf, name));
    },
    deposed: journal.deposed,
    index,
    async close() {
      await journal.close();
      index.close();
    },
  };
}
