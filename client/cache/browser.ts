import { createStore, promisifyRequest } from "idb-keyval";
import { TimedOut, withDeadline } from "../../model/lib/deadline.ts";
import type { RunId } from "../../protocol/ids.ts";
import type { Cache } from "./cache.ts";

const PREFIX = "murmuration ";

/** Milliseconds a browser has to open a database: after that it waits for another tab, or hangs. */
const OPEN_MS = 5_000;
/** Milliseconds for reading or writing: weights of a gigabyte on a slow disk. */
const TRANSACTION_MS = 60_000;
/** Milliseconds for tidying up, which nobody should have to wait for. */
const TIDY_MS = 2_000;

/** The name of a run's database: one a server and run, so that two runs never share weights or keys. */
const databaseOf = (server: string, run: RunId): string => `${PREFIX}${server} ${run}`;

/**
 * The cache of one run in this browser's IndexedDB. Opens nothing before the first read or write; rejects with TimedOut
 * where storage does not answer.
 */
export function browserCache(server: string, run: RunId): Cache {
  const open = () => createStore(databaseOf(server, run), "cache");
  let store = open();
  let opened: Promise<void> | undefined;
  const whenOpen = async () => {
    opened ??= withDeadline(
      store("readonly", () => undefined),
      OPEN_MS,
      "storage",
    );
    await opened.catch((error: unknown) => {
      if (!(error instanceof TimedOut)) opened = undefined; // denied for now; one that is silent stays so
      throw error;
    });
  };
  /** Lets go of the database when it is to be deleted, here or in another tab: it could not be otherwise. */
  const transact = async <T>(
    mode: IDBTransactionMode,
    work: (objects: IDBObjectStore) => Promise<T>,
  ): Promise<T> => {
    await whenOpen();
    const done = store(mode, (objects) => {
      const { db } = objects.transaction;
      db.onversionchange = () => {
        db.close();
        store = open();
        opened = undefined;
      };
      return work(objects);
    });
    return withDeadline(done, TRANSACTION_MS, "storage");
  };
  return {
    // Where storage is denied, opening it throws at once: `async` makes that a rejection too.
    get: async (key) => transact("readonly", (store) => promisifyRequest<unknown>(store.get(key))),
    write: async (changes) =>
      transact("readwrite", (store) => {
        try {
          for (const [key, value] of Object.entries(changes)) {
            if (value === undefined) store.delete(key);
            else store.put(value, key);
          }
        } catch (error) {
          store.transaction.abort(); // what went before a value that cannot be cloned would else be kept
          throw error;
        }
        return promisifyRequest(store.transaction);
      }),
  };
}

/** Deletes all that this browser keeps of a server's runs, keys among it. Best effort: some browsers do not list databases. */
export async function forgetServer(server: string): Promise<void> {
  try {
    for (const { name } of await databases()) {
      if (name?.startsWith(`${PREFIX}${server} `)) await withDeadline(deleted(name), OPEN_MS, "storage");
    }
  } catch {
    // denied or silent: then nothing was kept, or nothing can be done
  }
}

const databases = (): Promise<IDBDatabaseInfo[]> =>
  withDeadline(indexedDB.databases(), TIDY_MS, "the list of databases");

/** Resolves when a database is gone, or when another page of ours holds on to it and will let go later. */
function deleted(name: string): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    for (const end of ["success", "error", "blocked"]) request.addEventListener(end, () => resolve());
  });
}

/** Frees what earlier runs of the same server left behind. Best effort: some browsers do not list databases. */
export async function forgetOtherRuns(server: string, run: RunId): Promise<void> {
  try {
    for (const { name } of await databases()) {
      if (name?.startsWith(`${PREFIX}${server} `) && name !== databaseOf(server, run)) {
        indexedDB.deleteDatabase(name);
      }
    }
  } catch {
    // Firefox before 126 has no list, and a private window may deny it: then the old data just stays.
  }
}
