import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { systemCode } from "../../model/lib/system-code.ts";
import { accessLine, isRefused } from "../lib/access.ts";
import { syncDirectory } from "../lib/sync.ts";
import { CorpusError, isFull } from "./error.ts";

/** Where a corpus is written: the one door for bytes, so that a test can let the disk fill up or fail. */
export interface Disk {
  /** Makes a file that must not exist. */
  create(path: string): Promise<DiskFile>;
  rename(from: string, to: string): Promise<void>;
}

export interface DiskFile {
  /** Appends. */
  write(bytes: Uint8Array): Promise<void>;
  /** `durable`: only after the bytes have reached the device. */
  close(durable: boolean): Promise<void>;
}

export const nodeDisk: Disk = {
  async create(path) {
    const handle = await open(path, "wx");
    return {
      write: (bytes) => handle.appendFile(bytes),
      async close(durable) {
        try {
          if (durable) await handle.sync();
        } finally {
          await handle.close();
        }
      },
    };
  },
  rename,
};

/** Writes a whole file, durably. */
export async function writeDurably(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const file = await disk.create(path);
  try {
    await file.write(bytes);
  } catch (error) {
    await file.close(false).catch(() => {}); // the write's own error says more
    throw error;
  }
  await file.close(true);
}

/**
 * Makes a directory, and those above it that are missing, with names that outlast a power loss: each is synced in its
 * parent. Returns the outermost that was made, if any.
 */
export async function makeDirectory(path: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isThere(at)); at = dirname(at)) missing.unshift(at);
  // One by one: Node's recursive mkdir tries for ever where a file system takes no directory, as /proc.
  for (const at of missing) {
    try {
      await mkdir(at);
    } catch (error) {
      // Another process may have made it meanwhile; a link that leads nowhere stays an error.
      if (systemCode(error) !== "EEXIST" || !(await isThere(at))) throw error;
    }
    await syncDirectory(dirname(at));
  }
  return missing[0];
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** A failed write as the operator's error; other errors as they are. */
export function writeError(error: unknown, dataDir: string): unknown {
  if (isFull(error)) {
    return new CorpusError("no-space", `no space left for the corpus in ${dataDir}; nothing was kept`);
  }
  const code = systemCode(error) ?? "";
  if (isRefused(code)) return new CorpusError("not-writable", accessLine(dataDir, code));
  if (["ENOTDIR", "EEXIST", "ENOENT"].includes(code)) {
    return new CorpusError("not-writable", `${dataDir} cannot be written (${code})`);
  }
  return error;
}
