import { createStore, promisifyRequest } from "idb-keyval";
import type { RunId } from "../../protocol/ids.ts";
import type { Cache } from "./cache.ts";

const PREFIX = "murmuration ";

/** The name of a run's database: one a server and run, so that two runs never share weights or keys. */
const databaseOf = (server: string, run: RunId): string => `${PREFIX}${server} ${run}`;

/** The cache of one run in this browser's IndexedDB. Opens nothing before the first read or write. */
export function browserCache(server: string, run: RunId): Cache {
  const open = () => createStore(databaseOf(server, run), "cache");
  let store = open();
  /** Lets go of the database when it is to be deleted, here or in another tab: it could not be otherwise. */
  const transact = <T>(mode: IDBTransactionMode, work: (objects: IDBObjectStore) => Promise<T>): Promise<T> =>
    store(mode, (objects) => {
      const { db } = objects.transaction;
      db.onversionchange = () => {
        db.close();
        store = open();
      };
      return work(objects);
    });
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
    for (const { name } of await indexedDB.databases()) {
      if (name?.startsWith(`${PREFIX}${server} `)) await deleted(name);
    }
  } catch {
    // denied: then nothing was kept
  }
}

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
    for (const { name } of await indexedDB.databases()) {
      if (name?.startsWith(`${PREFIX}${server} `) && name !== databaseOf(server, run)) {
        indexedDB.deleteDatabase(name);
      }
    }
  } catch {
    // Firefox before 126 has no list, and a private window may deny it: then the old data just stays.
  }
}
