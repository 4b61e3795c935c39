import { type Pieces, partsOf } from "../../protocol/bytes.ts";

/**
 * The few file operations that durability is made of, so that tests can cut the power between any two of
 * them. Paths are relative, with forward slashes. An operation that fails rejects with Node's error (`code`:
 * ENOSPC, EIO, …). Nothing is durable before its `sync`, and no name before its directory's.
 */
export interface Files {
  /** Opens a file to append to, creating it where it is missing. `mode` is for a new one. */
  open(path: string, mode?: number): Promise<OpenFile>;
  /** A file's bytes from `start` (0) to `end` (its end), or undefined where there is none. */
  read(path: string, start?: number, end?: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A file's length in bytes, or undefined where there is none. */
  size(path: string): Promise<number | undefined>;
  /** A path's absolute form, where it is a file of this machine. */
  absolute?(path: string): string;
  /** Replaces `to` at once, as far as readers can tell; durable after {@link syncDirectory}. */
  rename(from: string, to: string): Promise<void>;
  /** Absent is fine. */
  remove(path: string): Promise<void>;
  /** Names in a directory, sorted; none where it is missing. */
  list(directory: string): Promise<string[]>;
  makeDirectory(path: string): Promise<void>;
  /** Makes the names in a directory durable. */
  syncDirectory(path: string): Promise<void>;
}

export interface OpenFile {
  /** Adds bytes at the end. On an error any part of them may have been written. */
  append(bytes: Uint8Array): Promise<void>;
  truncate(length: number): Promise<void>;
  /** fsync. After an error nothing is known of what was not synced before, and trying again proves nothing. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Ends in what no object's name ends in; a crash may leave such files, and {@link tidy} removes them. */
const TEMPORARY = ".tmp";

/** Bytes of a large file synced at a time: the journal's own fsync waits for everything the disk has to write. */
const SYNCED_BYTES = 4 * 1024 * 1024;

/**
 * Writes a file whole or not at all: temporary file, fsync, rename, fsync of the directory. On an error the
 * old file, if there was one, is as it was; or, where only the directory's fsync failed, the new one stands
 * in its place, whole, but perhaps not after a power loss.
 */
export async function writeDurably(files: Files, path: string, bytes: Pieces, mode?: number): Promise<void> {
  const temporary = `${path}${TEMPORARY}`;
  await files.remove(temporary); // what an earlier failure left would be appended to
  try {
    const file = await files.open(temporary, mode);
    try {
      let unsynced = 0;
      for (const part of partsOf(bytes)) {
        for (let at = 0; at < part.length; at += SYNCED_BYTES) {
          const piece = part.subarray(at, at + SYNCED_BYTES);
          if (unsynced > 0 && unsynced + piece.length > SYNCED_BYTES) {
            await file.sync();
            unsynced = 0;
          }
          await file.append(piece);
          unsynced += piece.length;
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await files.rename(temporary, path);
  } catch (error) {
    await files.remove(temporary).catch(() => {}); // the first error is the one to tell
    throw error;
  }
  await files.syncDirectory(directoryOf(path));
}

/** Removes what writes that were cut short left in a directory. */
export async function tidy(files: Files, directory: string): Promise<void> {
  for (const name of await files.list(directory)) {
    if (name.endsWith(TEMPORARY)) await files.remove(join(directory, name));
  }
}

export const join = (directory: string, name: string): string =>
  directory === "" ? name : `${directory}/${name}`;

const directoryOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
