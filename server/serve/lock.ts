import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export const LOCK_FILE = "lock";

/** Another process serves the directory. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}

/**
 * Keeps a data directory for this process alone until the returned function is called or the process ends,
 * however it ends. The lock is SQLite's on an empty database: the operating system's own file lock on every
 * platform, which a kill −9 or a power cut leaves free, where a file with a process's number would have to be
 * guessed about. Throws {@link LockedError}, or the system's error where the directory cannot be written.
 */
export function lockDirectory(directory: string): () => void {
  const database = new DatabaseSync(join(directory, LOCK_FILE));
  try {
    database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) {
      throw new LockedError(`another server uses ${directory}`);
    }
    throw error;
  }
  return () => {
    if (database.isOpen) database.close();
  };
}
