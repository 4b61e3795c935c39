import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DirectoryError, LockedError } from "./error.ts";

export const LOCK_FILE = "lock";

/**
 * Keeps a data directory for this process alone until the returned function is called or the process ends,
 * however it ends. The lock is SQLite's on an empty database: the operating system's own file lock on every
 * platform, which a kill −9 or a power cut leaves free, where a file with a process's number would have to be
 * guessed about. Throws {@link LockedError}, or a {@link DirectoryError} where the lock cannot be written.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, LOCK_FILE);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    throw explain(error, directory, path);
  }
  const held = database;
  return () => {
    if (held.isOpen) held.close();
  };
}

/** SQLite's own numbers for what goes wrong with a file (sqlite3.h). */
const SQLITE = { busy: 5, locked: 6, full: 13, notADatabase: 26 } as const;

function explain(error: unknown, directory: string, path: string): unknown {
  if (!(error instanceof Error)) return error;
  switch ("errcode" in error ? error.errcode : undefined) {
    case SQLITE.busy:
    case SQLITE.locked:
      return new LockedError(
        `another server uses ${directory}: stop that one first, or name another directory with --data`,
      );
    case SQLITE.full:
      return new DirectoryError(`there is no space left to write ${path}: free some, and start again`);
    case SQLITE.notADatabase:
      return new DirectoryError(`${path} is damaged: remove it while no server uses ${directory}`);
    default:
      return new DirectoryError(`${path} cannot be locked: ${error.message}`);
  }
}
