import { isOfRun, isSecret } from "./copy-store.ts";
import type { FileStore } from "./file-store.ts";
import type { FollowedStore } from "./followed-store.ts";
import { splitRecord } from "./record-parts.ts";
import { type Shelf, StoreError } from "./store.ts";

/** Records, and bytes of records, that are read before they are made durable together. */
const AT_ONCE = 256;
const MAX_BYTES_AT_ONCE = 8 * 1024 * 1024;
/** Times a pass begins again because what it read was let go of meanwhile. */
const MAX_TRIES = 5;
const FILE = /\.safetensors$/;

/** What a pass found new. */
export interface Copied {
  readonly records: number;
  readonly objects: number;
}

type Listed = Record<"run" | "snapshots" | "diffs", readonly string[]>;

/**
 * A copy of a store that another process writes to, kept up with it. At any moment, and wherever a pass is cut short, the copy
 * is a whole run, as the other was a moment ago: a snapshot comes after the records that lead to it, and what
 * is no longer needed goes only once that has come which takes its place. Only a copy that was away for longer
 * than the other keeps frames is without, while it is catching up, what it needs to merge again.
 */
export class StoreCopy {
  readonly #from: FollowedStore;
  readonly #to: FileStore;

  private constructor(from: FollowedStore, to: FileStore) {
    this.#from = from;
    this.#to = to;
  }

  /** Rejects with a StoreError where the copy's place has another run, or records that the other lacks. */
  static async open(from: FollowedStore, to: FileStore): Promise<StoreCopy> {
    if (from.length === 0) throw new StoreError("the run has not begun: there is nothing to copy yet");
    if (to.length > from.length) {
      throw new StoreError(
        `the copy is ahead: it has ${to.length} records, and the run has ${from.length}. Was it served?`,
      );
    }
    const isOther = async (sequence: number) => {
      const [theirs, ours] = [splitRecord(await from.read(sequence)), splitRecord(await to.read(sequence))];
      return Buffer.compare(theirs.head, ours.head) !== 0;
    };
    if (to.length > 0 && (await isOther(0))) throw new StoreError("the copy's place holds another run");
    if (to.length > 0 && (await isOther(to.length - 1)))
      throw new StoreError("the copy's place holds another future of this run: was it served?");
    return new StoreCopy(from, to);
  }

  /** Brings the copy up to where the other is now. */
  async pass(): Promise<Copied> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#pass();
      } catch (error) {
        // A block that was let go of since the refresh is archived; one that is gone is missing again.
        if (!(error instanceof StoreError) || tries === MAX_TRIES) throw error;
      }
    }
  }

  async #pass(): Promise<Copied> {
    const listed = await this.#list();
    const { stripped } = this.#from;
    const [state, files] = [
      listed.snapshots.filter((name) => !FILE.test(name)),
      listed.snapshots.filter((name) => FILE.test(name)),
    ];
    let objects = await this.#refresh(listed.run.filter(isOfRun));
    objects += await this.#add("diffs", listed.diffs);
    objects += await this.#add("snapshots", state);
    const records = await this.#append();
    objects += await this.#add("snapshots", files);
    for (const shelf of ["snapshots", "diffs", "run"] as const) await this.#remove(shelf, listed[shelf]);
    await this.#to.strip(stripped);
    return { records, objects };
  }

  /**
   * What is stored, before the end of the journal is looked for: so it knows all of it. Listed again where frames were
   * stripped in between, since the snapshot for which they could be may not be among it.
   */
  async #list(): Promise<Listed> {
    for (;;) {
      const { stripped } = this.#from;
      const [run, snapshots, diffs] = [
        await this.#from.list("run"),
        await this.#from.list("snapshots"),
        await this.#from.list("diffs"),
      ];
      await this.#from.refresh();
      if (this.#from.stripped === stripped) return { run, snapshots, diffs };
    }
  }

  async #append(): Promise<number> {
    const from = this.#to.length;
    let waiting: Uint8Array<ArrayBuffer>[] = [];
    const flush = async () => {
      // Together, since one that comes without those before it would take their numbers.
      if (waiting.length > 0) await this.#to.appendAll(waiting.map((record) => splitRecord(record)));
      waiting = [];
    };
    let bytes = 0;
    for await (const { record } of this.#from.records(from)) {
      waiting.push(record);
      bytes += record.length;
      if (waiting.length < AT_ONCE && bytes < MAX_BYTES_AT_ONCE) continue;
      await flush();
      bytes = 0;
    }
    await flush();
    return this.#to.length - from;
  }

  /** Copies what is not there yet of what never changes; returns how many. */
  async #add(shelf: Shelf, names: readonly string[]): Promise<number> {
    const there = new Set(await this.#to.list(shelf));
    let added = 0;
    for (const name of names) {
      const bytes = there.has(name) ? undefined : await this.#from.get(shelf, name);
      if (bytes === undefined) continue; // there already, or let go of meanwhile
      await this.#to.put(shelf, name, bytes);
      added += 1;
    }
    return added;
  }

  /** Copies what has changed of what may; returns how many. */
  async #refresh(names: readonly string[]): Promise<number> {
    let changed = 0;
    for (const name of names) {
      const [theirs, ours] = [await this.#from.get("run", name), await this.#to.get("run", name)];
      if (theirs === undefined || (ours !== undefined && Buffer.compare(theirs, ours) === 0)) continue;
      await this.#to.put("run", name, theirs, isSecret(name) ? "secret" : undefined);
      changed += 1;
    }
    return changed;
  }

  /** Removes what the other has no more. A published file goes first: where it is, its snapshot is whole. */
  async #remove(shelf: keyof Listed, listed: readonly string[]): Promise<void> {
    const gone = (await this.#to.list(shelf))
      .filter((name) => !listed.includes(name) && (shelf !== "run" || isOfRun(name)))
      .sort((a, b) => Number(FILE.test(b)) - Number(FILE.test(a)));
    for (const name of gone) await this.#to.remove(shelf, name);
  }
}
