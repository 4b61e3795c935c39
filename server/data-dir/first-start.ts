import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { nodeDisk, writeDurably } from "../corpus/disk.ts";
import { syncDirectory } from "../lib/sync.ts";

/** There from before the default corpus until its run has begun. */
export const FIRST_START_FILE = ".first-start";

/**
 * Begins to make a default run. Killed before the run has begun, a directory would have a corpus and no run, which
 * looks like one whose owner is still to say what run it wants; with this mark the next start goes on.
 */
export async function beginFirstStart(directory: string): Promise<void> {
  if (await isFirstStart(directory)) return;
  await writeDurably(nodeDisk, join(directory, FIRST_START_FILE), new Uint8Array());
  await syncDirectory(directory);
}

/** Whether a first start was begun here and never came to its end. */
export const isFirstStart = (directory: string): Promise<boolean> =>
  access(join(directory, FIRST_START_FILE)).then(
    () => true,
    () => false,
  );

/** The run has begun. */
export const endFirstStart = (directory: string): Promise<void> =>
  rm(join(directory, FIRST_START_FILE), { force: true });
