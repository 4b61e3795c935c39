import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemCode } from "../../model/lib/system-code.ts";
import { isRunName, MAX_RUN_NAME } from "../../protocol/run-name.ts";
import { makeDirectory } from "../corpus/disk.ts";
import { syncDirectory } from "../lib/sync.ts";
import { isIncidental, kindOf, namesIn } from "./directory.ts";
import { DirectoryError } from "./error.ts";

/** Holds the data directories of several runs, each under its run's name. */
const RUNS_FOLDER = "runs";

/** What was deleted and is not removed yet: a dot begins no run's name. */
const DELETED = ".deleted-";

/** Where a run lies. Throws a {@link DirectoryError} for what is no name: nothing leads out of the folder. */
export function runDirectory(directory: string, name: string): string {
  if (!isRunName(name)) throw new DirectoryError(badName(name));
  return join(directory, RUNS_FOLDER, name);
}

export const badName = (name: string): string =>
  `${JSON.stringify(name.slice(0, MAX_RUN_NAME))} is no name for a run: a name has 1 to ${MAX_RUN_NAME} small letters, ` +
  "digits and hyphens, and neither begins nor ends with a hyphen";

/** Whether a directory is for several runs: it has their folder, and neither a run of its own nor anybody else's files. */
export async function holdsRuns(directory: string): Promise<boolean> {
  const names = await namesIn(directory);
  if (!names.includes(RUNS_FOLDER)) return false;
  if (!names.every((name) => name === RUNS_FOLDER || isIncidental(name))) return false;
  return (await stat(join(directory, RUNS_FOLDER))).isDirectory();
}

/** Throws a {@link DirectoryError} for a directory that is not that of one run; where it is of several, names one. */
export async function requireRun(directory: string): Promise<void> {
  const several = await severalIn(directory);
  if (several !== undefined) throw new DirectoryError(several);
  if ((await kindOf(directory)) !== "ours") throw new DirectoryError(`${directory} holds no run`);
}

/** Says of a directory of several runs that one is to be named; undefined for any other directory. */
export async function severalIn(directory: string): Promise<string | undefined> {
  if (!(await holdsRuns(directory))) return undefined;
  const { names } = await runNamesIn(directory);
  return `${directory} is for several runs: name one of them, as ${join(directory, RUNS_FOLDER, names[0] ?? "NAME")}`;
}

/** Whether a directory of one run has, beside it, a folder of others, which are not served. */
export async function hasUnservedRuns(directory: string): Promise<boolean> {
  const names = await namesIn(directory);
  return names.includes("corpus.json") && names.includes(RUNS_FOLDER);
}

/** Makes an empty directory one for several runs. Throws a {@link DirectoryError} where it is not empty. */
export async function makeRunsFolder(directory: string): Promise<void> {
  const foreign = (await namesIn(directory)).find((name) => !isIncidental(name));
  if (foreign !== undefined) {
    throw new DirectoryError(
      `${directory} is not empty (${foreign}). To serve a run of one directory among others, stop its server and move ` +
        "it: mkdir -p NEW/runs && mv OLD NEW/runs/NAME",
    );
  }
  await makeDirectory(join(directory, RUNS_FOLDER));
}

/** The names of the runs in the folder, and of the folders there that have no such name; in alphabetical order. */
export async function runNamesIn(
  directory: string,
): Promise<{ readonly names: readonly string[]; readonly bad: readonly string[] }> {
  const folder = join(directory, RUNS_FOLDER);
  const found = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  const folders: string[] = [];
  for (const name of found) {
    const kind = await stat(join(folder, name)).catch(() => undefined);
    if (kind?.isDirectory()) folders.push(name);
  }
  return { names: folders.filter(isRunName), bad: folders.filter((name) => !isRunName(name)) };
}

/** Makes a new run's empty directory. Resolves to false where there is one of that name. */
export async function addRunDirectory(directory: string, name: string): Promise<boolean> {
  try {
    await mkdir(runDirectory(directory, name));
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
  await syncDirectory(join(directory, RUNS_FOLDER));
  return true;
}

/** Deletes a run that nobody has open. From its new name on it is gone, also where the rest is killed. */
export async function deleteRunDirectory(directory: string, name: string): Promise<void> {
  const folder = join(directory, RUNS_FOLDER);
  const gone = join(folder, `${DELETED}${name}-${Date.now()}`);
  await rename(runDirectory(directory, name), gone);
  await syncDirectory(folder);
  await rm(gone, { recursive: true, force: true });
}

/** Removes what a deletion that was killed has left. */
export async function finishDeletions(directory: string): Promise<void> {
  const folder = join(directory, RUNS_FOLDER);
  for (const name of await readdir(folder)) {
    if (name.startsWith(DELETED)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
