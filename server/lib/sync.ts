import { constants } from "node:fs";
import { open } from "node:fs/promises";

/** fsync: the bytes of a file that was written before are on the disk. */
export function syncFile(path: string): Promise<void> {
  return synced(path, "r+");
}

/** Makes the names in a directory durable: without it a rename may be lost with the power. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // NTFS journals names itself and opens no directory
  await synced(path, constants.O_RDONLY | constants.O_DIRECTORY);
}

async function synced(path: string, flags: string | number): Promise<void> {
  const file = await open(path, flags);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
