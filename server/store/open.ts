import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type FileStore, fileStore } from "./file-store.ts";
import { nodeFiles } from "./node-files.ts";
import { sqliteIndex } from "./sqlite-index.ts";

/** The store of a data directory, which must exist. */
export function openFileStore(directory: string): Promise<FileStore> {
  const salt = () => randomBytes(4).readUInt32LE();
  return fileStore(nodeFiles(directory), sqliteIndex(join(directory, "index.sqlite")), { salt });
}
