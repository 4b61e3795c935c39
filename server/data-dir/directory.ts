import { constants } from "node:fs";
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { accessLine, isRefused } from "../lib/access.ts";
import { DirectoryError } from "./error.ts";
import { FIRST_START_FILE } from "./first-start.ts";
import { LOCK_FILE } from "./lock.ts";

/** Kinds of data directory, by the names in it; only the journal knows whether a run has begun. */
export type DirectoryKind =
  /** Missing, or nothing in it but what an operator has begun: gets the default corpus and run, or waits for one. */
  | "empty"
  /** Has a corpus, and maybe a run. */
  | "ours"
  /** Files of another program and none of ours: left alone. */
  | "foreign";

/** Where in a data directory a text lies that is being uploaded. */
export const UPLOAD_FOLDER = ".uploading";

/** Names that may lie about in a directory that is empty for our purposes: ours, and file systems' own. */
const INCIDENTAL = new Set([
  LOCK_FILE,
  FIRST_START_FILE,
  `${LOCK_FILE}-journal`,
  "lost+found",
  ".DS_Store",
  // Of an operator who is about to make the run from the page.
  UPLOAD_FOLDER,
  "operator-link.json",
  "operator-link.json.new",
  "operator-address",
  "operator-log.jsonl",
]);
/** Work of a `corpus add` that was killed; the next one clears it away. */
const ABANDONED = /^\.adding-/;

/** Looks at a directory without changing it. Throws {@link DirectoryError}. */
export async function kindOf(directory: string): Promise<DirectoryKind> {
  const names = await namesIn(directory);
  if (names.includes("corpus.json")) return "ours";
  if (names.includes("journal")) {
    throw new DirectoryError(`${directory} has a run's journal but no corpus.json: files are missing`);
  }
  return names.every(isIncidental) ? "empty" : "foreign";
}

/** Whether a file's name counts for nothing when we ask whose a directory is. */
export const isIncidental = (name: string): boolean => INCIDENTAL.has(name) || ABANDONED.test(name);

/** Whether an operator has begun to bring a text. */
export async function hasUpload(directory: string): Promise<boolean> {
  return (await namesIn(directory)).includes(UPLOAD_FOLDER);
}

/** Files that a server writes to in place; it replaces all others whole, for which the directory's rights count. */
const WRITTEN = [
  ...[".", LOCK_FILE, "index.sqlite", "operator-log.jsonl"],
  ...["journal", "snapshots", "diffs", UPLOAD_FOLDER],
];

/** Throws the system's error, which names the path, where a data directory is not this process's to write. */
export async function requireWritable(directory: string): Promise<void> {
  for (const name of WRITTEN) {
    await access(join(directory, name), constants.R_OK | constants.W_OK).catch((error: unknown) => {
      if (systemCode(error) !== "ENOENT") throw error;
    });
  }
}

/** The names in a directory, none where it is not there. Throws {@link DirectoryError}. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (code === "ENOENT") return [];
    if (code === "ENOTDIR") throw new DirectoryError(`${directory} is not a directory`);
    if (isRefused(code)) throw new DirectoryError(accessLine(directory, code));
    const why = messageOf(error);
    throw new DirectoryError(`${directory} cannot be read: ${why}`);
  }
}
