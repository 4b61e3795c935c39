import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Cache } from "./cache.ts";
import { readStored, writeStored } from "./stored.ts";

/**
 * A cache in a directory, one file a key, for volunteers in Node. A file is replaced by renaming a complete
 * one over it, so a crash leaves the old value or the new; several keys of one write may be split by a crash
 * (deletions come last). A file that cannot be read back counts as absent.
 */
export async function fileCache(directory: string): Promise<Cache> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const fileOf = (key: string) => join(directory, `${encodeURIComponent(key)}.v8`);
  return {
    async get(key) {
      try {
        return await readStored(fileOf(key));
      } catch {
        return undefined;
      }
    },
    async write(changes) {
      const entries = Object.entries(changes);
      for (const [key, value] of entries) {
        if (value !== undefined) await replaced(fileOf(key), (file) => writeStored(file, value));
      }
      for (const [key, value] of entries) {
        if (value === undefined) await rm(fileOf(key), { force: true });
      }
    },
  };
}

/** Writes a file so that a reader sees the old bytes or the new ones, never a part. Readable by its owner alone. */
export const replaceFile = (path: string, bytes: Uint8Array): Promise<void> =>
  replaced(path, (file) => file.writeFile(bytes));

async function replaced(path: string, write: (file: FileHandle) => Promise<void>): Promise<void> {
  const half = `${path}.new`;
  const file = await open(half, "w", 0o600);
  try {
    await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(half, path);
}
