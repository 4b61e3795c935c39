import { randomUUID } from "node:crypto";
import { access, mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { systemCode } from "../../model/lib/system-code.ts";
import { syncDirectory } from "../lib/sync.ts";
import { type Disk, makeDirectory } from "./disk.ts";
import { CorpusError } from "./error.ts";

/** The parts of a finished corpus, in the order they are moved into place: corpus.json, last, says that it is whole. */
const PARTS = ["shards", "tokenizer.json", "corpus.json"] as const;

const PREFIX = ".adding-";

/** Workspaces this process has open: their number tells them from those a killed process left behind. */
const live = new Set<string>();

/**
 * A directory inside the data directory, and so on its disk, in which a corpus is made. {@link publish} moves
 * the finished parts into place; {@link discard} leaves the data directory as it was found.
 */
export class Workspace {
  readonly disk: Disk;
  readonly #dataDir: string;
  readonly #path: string;
  /** The outermost directory that had to be made, if any. */
  readonly #made: string | undefined;

  private constructor(dataDir: string, path: string, made: string | undefined, disk: Disk) {
    this.disk = disk;
    this.#dataDir = dataDir;
    this.#path = path;
    this.#made = made;
  }

  /** Throws `corpus-exists` when the directory has any part of a corpus or a run. */
  static async open(directory: string, disk: Disk): Promise<Workspace> {
    const dataDir = resolve(directory);
    await takeBackAbandoned(dataDir);
    await refuseOccupied(dataDir);
    return Workspace.#begin(dataDir, disk);
  }

  /** In a directory that has a corpus, for text beside it. */
  static openBeside(directory: string, disk: Disk): Promise<Workspace> {
    return Workspace.#begin(resolve(directory), disk);
  }

  static async #begin(dataDir: string, disk: Disk): Promise<Workspace> {
    const made = await makeDirectory(dataDir);
    await removeAbandoned(dataDir);
    const name = `${PREFIX}${process.pid}-${randomUUID()}`;
    live.add(name); // before it is there: another that looks for abandoned ones finds it the moment it is made
    const path = join(dataDir, name);
    await mkdir(join(path, "shards"), { recursive: true });
    return new Workspace(dataDir, path, made, disk);
  }

  path(...names: string[]): string {
    return join(this.#path, ...names);
  }

  /**
   * Moves the finished, synced parts into place, all or none, and removes what else was made here. Of two that
   * come at once the first to have its shards there wins, the other throws `corpus-exists`.
   */
  async publish(): Promise<void> {
    await refuseOccupied(this.#dataDir);
    await syncDirectory(this.path("shards"));
    const moved: string[] = [];
    try {
      for (const part of PARTS) {
        await this.disk.rename(this.path(part), join(this.#dataDir, part));
        moved.push(part);
      }
      await syncDirectory(this.#dataDir);
    } catch (error) {
      for (const part of moved.reverse()) await this.disk.rename(join(this.#dataDir, part), this.path(part));
      if (["ENOTEMPTY", "EEXIST"].includes(systemCode(error) ?? "")) throw occupied(this.#dataDir, "shards");
      throw error;
    }
    await this.#remove();
  }

  /**
   * Moves the shards among those that are there, and then the list of them, which makes them count, to its number in
   * `folder`. Cut short before that, it has added files that nothing names.
   */
  async publishBeside(folder: string, number: number): Promise<void> {
    for (const name of await readdir(this.path("shards"))) {
      await this.disk.rename(this.path("shards", name), join(this.#dataDir, "shards", name));
    }
    await syncDirectory(join(this.#dataDir, "shards"));
    await makeDirectory(join(this.#dataDir, folder));
    await this.disk.rename(this.path("corpus.json"), join(this.#dataDir, folder, `${number}.json`));
    await syncDirectory(join(this.#dataDir, folder));
    await this.#remove();
  }

  /** Removes everything that was made, the data directory itself if it was not there before. */
  async discard(): Promise<void> {
    await this.#remove();
    if (this.#made === undefined) return;
    try {
      for (let path = this.#dataDir; path.length >= this.#made.length; path = dirname(path))
        await rmdir(path);
    } catch {
      // Another program has put something there meanwhile: it stays.
    }
  }

  async #remove(): Promise<void> {
    await rm(this.#path, { recursive: true, force: true });
    live.delete(basename(this.#path));
  }
}

/**
 * Removes what a process moved into place that was killed before corpus.json was there: half a corpus, which would keep
 * the directory from ever getting a whole one. Of others' files there are none: its workspace lacks what it moved.
 */
export async function takeBackAbandoned(dataDir: string): Promise<void> {
  const names: string[] = await readdir(dataDir).catch(() => []); // it may not be there yet
  if (names.includes("corpus.json")) return;
  for (const name of names.filter(isAbandoned)) {
    const left = await readdir(join(dataDir, name));
    if (!left.includes("corpus.json")) continue; // it was not finished, and has moved nothing
    for (const part of PARTS) {
      if (!left.includes(part)) await rm(join(dataDir, part), { recursive: true, force: true });
    }
  }
}

async function refuseOccupied(dataDir: string): Promise<void> {
  for (const name of ["corpus.json", "run.json", "tokenizer.json", "shards"]) {
    const there = await access(join(dataDir, name)).then(
      () => true,
      () => false,
    );
    if (there) throw occupied(dataDir, name);
  }
}

const occupied = (dataDir: string, name: string) =>
  new CorpusError(
    "corpus-exists",
    `${dataDir} already has ${name}. One directory is one run: name another with --data, or empty this one`,
  );

/** Removes the workspaces of processes that were killed. */
async function removeAbandoned(dataDir: string): Promise<void> {
  for (const name of (await readdir(dataDir)).filter(isAbandoned)) {
    await rm(join(dataDir, name), { recursive: true, force: true });
  }
}

/** Whether a name is that of a workspace whose process is gone. */
function isAbandoned(name: string): boolean {
  if (!name.startsWith(PREFIX) || live.has(name)) return false;
  const owner = Number(name.slice(PREFIX.length).split("-")[0]);
  return owner === process.pid || !isRunning(owner);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}
