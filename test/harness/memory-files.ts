import type { Random } from "../../model/lib/random.ts";
import type { Files, OpenFile } from "../../server/store/files.ts";

/**
 * Files as a disk with a cache keeps them, for cutting the power. Every file and directory has what is
 * durable and a list of later operations that are not; {@link MemoryFiles.restart} decides which of these
 * the disk had got to. Modelled on SQLite's crash tests: unsynced writes are lost, torn or out of order;
 * names are durable only after their directory's sync; after a failed fsync its data is never written,
 * though reads still show it (Rebello et al. 2020, "Can applications recover from fsync failures?").
 */
export class MemoryFiles implements Files {
  /** Called before every operation with its number from 0; a throw fails it, a PowerLoss ends everything. */
  before: (operation: Operation) => void = () => {};
  /** Bytes that fit; an append beyond writes what fits and fails with ENOSPC. */
  capacity = Number.POSITIVE_INFINITY;
  /** A disk that says it synced and did not: what no program survives, the control of those that survive the rest. */
  lies = false;
  /** What every file's sync waits for: a slow disk. */
  slow: Promise<void> = Promise.resolve();
  /** Operations begun so far. */
  operations = 0;
  #off = false;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #pendingNames: NameChange[] = [];

  async open(path: string): Promise<OpenFile> {
    this.#begin("open", path);
    let inode = this.#names.get(path);
    if (inode === undefined) {
      inode = new Inode();
      this.#names.set(path, inode);
      this.#pendingNames.push({ directory: directoryOf(path), apply: (names) => names.set(path, inode!) });
    }
    return this.#handle(path, inode);
  }

  async read(path: string, start = 0, end?: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (this.#off) throw new PowerLoss();
    return this.#names.get(path)?.current.slice(start, end);
  }

  async size(path: string): Promise<number | undefined> {
    if (this.#off) throw new PowerLoss();
    return this.#names.get(path)?.current.length;
  }

  async rename(from: string, to: string): Promise<void> {
    const inode = this.#names.get(from);
    if (inode === undefined) throw systemError("ENOENT");
    const apply = (names: Map<string, Inode>) => {
      names.delete(from);
      names.set(to, inode);
    };
    this.#change("rename", to, { directory: directoryOf(to), apply });
  }

  async remove(path: string): Promise<void> {
    if (!this.#names.has(path)) return;
    this.#change("remove", path, { directory: directoryOf(path), apply: (names) => names.delete(path) });
  }

  async list(directory: string): Promise<string[]> {
    if (this.#off) throw new PowerLoss();
    const prefix = directory === "" ? "" : `${directory}/`;
    const below = [...this.#names.keys()].filter((path) => path.startsWith(prefix));
    return [...new Set(below.map((path) => path.slice(prefix.length).split("/")[0]!))].sort();
  }

  /** Directories are there as soon as something is in them. */
  async makeDirectory(): Promise<void> {}

  async syncDirectory(path: string): Promise<void> {
    this.#begin("syncDirectory", path);
    for (const change of this.#pendingNames) if (change.directory === path) change.apply(this.#durableNames);
    this.#pendingNames = this.#pendingNames.filter((change) => change.directory !== path);
  }

  /** Flips one bit of a file, under everything. */
  flip(path: string, byte: number, bit: number): void {
    const inode = this.#names.get(path);
    if (inode === undefined || byte >= inode.current.length) throw new RangeError("nothing to flip");
    inode.current[byte]! ^= 1 << bit;
    inode.durable = inode.current.slice();
  }

  /** Cuts a file to a length, under everything. */
  cut(path: string, length: number): void {
    const inode = this.#names.get(path);
    if (inode === undefined) throw new RangeError("nothing to cut");
    inode.current = inode.current.slice(0, length);
    inode.durable = inode.current.slice();
  }

  /**
   * The disk after the power came back. `kill`: everything written is there (the process died, the kernel
   * lived). `drop`: nothing unsynced is. A generator: some of it, in pieces.
   */
  restart(survivors: "kill" | "drop" | Random): MemoryFiles {
    this.#off = true;
    const after = new MemoryFiles();
    const names = new Map(this.#durableNames);
    const kept =
      survivors === "kill"
        ? this.#pendingNames.length
        : survivors === "drop"
          ? 0
          : survivors.below(this.#pendingNames.length + 1);
    for (const change of this.#pendingNames.slice(0, kept)) change.apply(names);
    const inodes = new Map<Inode, Inode>();
    for (const [path, inode] of names) {
      if (!inodes.has(inode)) inodes.set(inode, inode.survive(survivors));
      after.#names.set(path, inodes.get(inode)!);
      after.#durableNames.set(path, inodes.get(inode)!);
    }
    return after;
  }

  #handle(path: string, inode: Inode): OpenFile {
    return {
      append: async (bytes) => {
        this.#begin("append", path);
        const used = [...new Set(this.#names.values())].reduce((sum, { current }) => sum + current.length, 0);
        const room = Math.max(0, Math.min(bytes.length, this.capacity - used));
        inode.write({ at: inode.current.length, bytes: new Uint8Array(bytes.subarray(0, room)) });
        if (room < bytes.length) throw systemError("ENOSPC");
      },
      truncate: async (length) => {
        this.#begin("truncate", path);
        inode.write({ length });
      },
      sync: async () => {
        try {
          this.#begin("sync", path);
        } catch (error) {
          if (!(error instanceof PowerLoss)) inode.pending = []; // marked clean, never written
          throw error;
        }
        await this.slow;
        if (!this.lies) inode.sync();
      },
      close: async () => {},
    };
  }

  #change(kind: Operation["kind"], path: string, change: NameChange): void {
    this.#begin(kind, path);
    change.apply(this.#names);
    this.#pendingNames.push(change);
  }

  #begin(kind: Operation["kind"], path: string): void {
    if (this.#off) throw new PowerLoss();
    try {
      this.before({ number: this.operations++, kind, path });
    } catch (error) {
      this.#off = error instanceof PowerLoss;
      throw error;
    }
  }
}

export interface Operation {
  readonly number: number;
  readonly kind: "open" | "append" | "truncate" | "sync" | "rename" | "remove" | "syncDirectory";
  readonly path: string;
}

/** The power is off: nothing works until {@link MemoryFiles.restart}. */
export class PowerLoss extends Error {
  override readonly name = "PowerLoss";
}

/** What Node's file functions throw. */
export const systemError = (code: "ENOSPC" | "EIO" | "ENOENT"): Error =>
  Object.assign(new Error(`${code}: simulated`), { code });

interface NameChange {
  readonly directory: string;
  readonly apply: (names: Map<string, Inode>) => void;
}

type Write = { readonly at: number; readonly bytes: Uint8Array<ArrayBuffer> } | { readonly length: number };

/** Pieces in which an unsynced write reaches the disk or not: small, so that small tests tear records. */
const SECTOR = 16;

class Inode {
  current = new Uint8Array();
  durable = new Uint8Array();
  pending: Write[] = [];

  write(write: Write): void {
    this.current = applied(this.current, write);
    this.pending.push(write);
  }

  sync(): void {
    for (const write of this.pending) this.durable = applied(this.durable, write);
    this.pending = [];
  }

  survive(survivors: "kill" | "drop" | Random): Inode {
    const after = new Inode();
    let bytes = this.durable;
    if (survivors === "kill") bytes = this.current;
    else if (survivors !== "drop") {
      // A disk orders what is not synced as it likes: any of it may be there without what came before.
      for (const write of this.pending) {
        if (survivors.below(3) > 0) bytes = applied(bytes, torn(write, survivors));
      }
    }
    after.current = bytes.slice();
    after.durable = after.current;
    return after;
  }
}

function applied(bytes: Uint8Array<ArrayBuffer>, write: Write): Uint8Array<ArrayBuffer> {
  if ("length" in write) return bytes.slice(0, write.length);
  const next = new Uint8Array(Math.max(bytes.length, write.at + write.bytes.length));
  next.set(bytes);
  next.set(write.bytes, write.at);
  return next;
}

/** An append of which some sectors are missing: cut off at the end, or zeros in the middle. */
function torn(write: Write, random: Random): Write {
  if ("length" in write || random.below(3) === 0) return write;
  const bytes = write.bytes.slice(0, random.below(write.bytes.length + 1));
  if (random.below(2) === 0) {
    for (let at = 0; at < bytes.length; at += SECTOR) {
      if (random.below(2) === 0) bytes.fill(0, at, at + SECTOR);
    }
  }
  return { at: write.at, bytes };
}

const directoryOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
