import { constants, type Dirent } from "node:fs";
import { copyFile, link, lstat, mkdir, readdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { systemCode, unlessMissing } from "../../model/lib/system-code.ts";
import { makeDirectory } from "../corpus/disk.ts";
import { accessLine, isRefused } from "../lib/access.ts";
import { syncDirectory, syncFile } from "../lib/sync.ts";
import { DirectoryError } from "./error.ts";
import { LOCK_FILE } from "./lock.ts";
import { requireRun } from "./runs.ts";

/** Files that are not copied: those that a start makes again, locks, and remains of an interrupted write. */
const LEFT_OUT = /^(?:index\.sqlite.*|.*\.tmp|\.adding-.*|\.DS_Store|lost\+found)$/;
const PARTIAL = ".partial";
/** Times copying begins again: a running server removes old snapshots meanwhile. */
const MAX_TRIES = 5;

/** Whether a file that nobody ever changes is copied, or given a second name on the same disk. */
export type Manner = "copy" | "link";

/**
 * Copies a data directory to a place that does not exist yet (or is empty), also while a server writes to it.
 * The copy stands under its name only when it is whole, durable, and `check` has accepted it.
 *
 * The order makes it consistent. Snapshots are copied first, so that the journal, copied next, knows them
 * all; the journal only ever grows at its end; and a server strips frames only after it removed the snapshots
 * that needed them, so a snapshot that is still there when the journal is copied has its frames in the copy.
 * Throws a DirectoryError for a source or a target that will not do.
 */
export async function copyRun(
  source: string,
  target: string,
  manner: Manner,
  check: (directory: string) => Promise<void>,
): Promise<void> {
  await requireRun(source);
  await requireFree(target);
  await makeDirectory(dirname(target));
  const parent = await realpath(dirname(target));
  const root = await realpath(source);
  if (`${join(parent, basename(target))}${sep}`.startsWith(`${root}${sep}`)) {
    throw new DirectoryError(`${target} lies in the directory that is to be copied`);
  }
  const partial = join(parent, `${basename(target)}${PARTIAL}`);
  for (let tries = 1; ; tries++) {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { mode: 0o700 });
    if (await copyOnce(root, partial, manner)) break;
    if (tries === MAX_TRIES)
      throw new DirectoryError("the server changed its snapshots faster than they copy");
  }
  await check(partial);
  await rm(target, { recursive: true, force: true }); // empty, as was seen above
  await rename(partial, join(parent, basename(target)));
  await syncDirectory(parent);
}

/** One try; false when no snapshot that was copied is still in use. */
async function copyOnce(source: string, target: string, manner: Manner): Promise<boolean> {
  const entries = (await readdir(source, { withFileTypes: true })).filter(isKept);
  await copyAll(source, target, "snapshots", () => manner);
  const journal = (await readdir(join(source, "journal"))).filter(isName).sort();
  // The last segment is still appended to: a second name for it would grow with the run.
  await copyAll(source, target, "journal", (name) => (name === journal.at(-1) ? "copy" : manner), journal);
  const kept = new Set(await readdir(join(source, "snapshots")));
  for (const name of await readdir(join(target, "snapshots"))) {
    if (!kept.has(name)) await rm(join(target, "snapshots", name));
  }
  // By name: the lists of added text (added/) come before the shards, which were there before them; and both come
  // after the journal, which names no text that is not there.
  const others = (await readdir(source, { withFileTypes: true })).filter(isKept);
  const directories = others.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  for (const name of directories.filter((one) => one !== "snapshots" && one !== "journal").sort()) {
    await copyAll(source, target, name, () => manner);
  }
  for (const { name } of entries.filter((entry) => entry.isFile())) {
    await copyOne(join(source, name), join(target, name), "copy");
  }
  await syncDirectory(target);
  return (await readdir(join(target, "snapshots"))).length > 0 || kept.size === 0;
}

const isName = (name: string): boolean => !LEFT_OUT.test(name);
const isKept = ({ name }: Dirent): boolean =>
  isName(name) && name !== LOCK_FILE && name !== `${LOCK_FILE}-journal`;

/** Copies a directory's files; those that vanish meanwhile are left out. */
async function copyAll(
  source: string,
  target: string,
  directory: string,
  mannerOf: (name: string) => Manner,
  names?: readonly string[],
): Promise<void> {
  await mkdir(join(target, directory));
  for (const name of names ?? (await readdir(join(source, directory))).filter(isName)) {
    await copyOne(join(source, directory, name), join(target, directory, name), mannerOf(name));
  }
  await syncDirectory(join(target, directory));
}

async function copyOne(from: string, to: string, manner: Manner): Promise<void> {
  try {
    if (!(await lstat(from)).isFile()) return;
    if (manner === "link" && (await linked(from, to))) return;
    await copyFile(from, to, constants.COPYFILE_EXCL);
    await syncFile(to);
  } catch (error) {
    unlessMissing(error);
  }
}

/** False on another disk, or where the disk knows no second names. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (["EXDEV", "EPERM", "EMLINK", "ENOTSUP"].includes(systemCode(error) ?? "")) return false;
    throw error;
  }
}

async function requireFree(target: string): Promise<void> {
  const names = await readdir(target).catch((error: unknown) => {
    const code = systemCode(error) ?? "";
    if (code === "ENOENT") return [];
    throw new DirectoryError(
      isRefused(code) ? accessLine(target, code) : `${target} cannot be written to (${code})`,
    );
  });
  if (names.length > 0) throw new DirectoryError(`${target} is not empty`);
}
