import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { fileStore } from "./file-store.ts";
import { nodeFiles } from "./node-files.ts";
import { sqliteIndex } from "./sqlite-index.ts";
import type { Store } from "./store.ts";

/** The store of a data directory, which must exist. */
export function openFileStore(directory: string): Promise<Store> {
  const salt = () => randomBytes(4).readUInt32LE();
  return fileStore(nodeFiles(directory), sqliteIndex(join(directory, "index.sqlite")), { salt });
}
