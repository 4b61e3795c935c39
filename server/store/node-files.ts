import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { unlessMissing } from "../../model/lib/system-code.ts";
import { syncDirectory } from "../lib/sync.ts";
import type { Files, OpenFile } from "./files.ts";

/** Files under a directory of the machine. */
export function nodeFiles(root: string): Files {
  const at = (path: string) => join(root, path);
  return {
    async open(path, mode = 0o644) {
      const flags = constants.O_CREAT | constants.O_APPEND | constants.O_WRONLY;
      return new NodeFile(await open(at(path), flags, mode));
    },
    async read(path, start = 0, end) {
      const file = await open(at(path)).catch(unlessMissing);
      if (file === undefined) return undefined;
      try {
        const { size } = await file.stat();
        return await readFully(file, Math.min(start, size), Math.min(end ?? size, size));
      } catch (error) {
        // A failed read of an open file does not say of which.
        if (error instanceof Error && !("path" in error)) error.message += ` '${at(path)}'`;
        throw error;
      } finally {
        await file.close();
      }
    },
    size: async (path) => (await stat(at(path)).catch(unlessMissing))?.size,
    absolute: (path) => resolve(at(path)),
    rename: (from, to) => rename(at(from), at(to)),
    remove: (path) => rm(at(path), { force: true }),
    async list(directory) {
      return ((await readdir(at(directory)).catch(unlessMissing)) ?? []).sort();
    },
    async makeDirectory(path) {
      await mkdir(at(path), { recursive: true });
    },
    syncDirectory: (path) => syncDirectory(at(path)),
  };
}

class NodeFile implements OpenFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      at += (await this.#handle.write(bytes, at, bytes.length - at)).bytesWritten;
    }
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function readFully(file: FileHandle, start: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(Math.max(0, end - start));
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) return bytes.slice(0, at); // it became shorter while we read
    at += bytesRead;
  }
  return bytes;
}
