import { sha256 } from "../../protocol/identity.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import type { Store } from "../store/store.ts";

const SHELF = "diffs";
/** Bytes of frames that are kept in memory. */
const MAX_RECENT_BYTES = 16 * 1024 * 1024;
/** The version that it leads away from, and its hash. Those stored by earlier programs have no hash in their names. */
const NAME = /^(0|[1-9]\d*)(?:-([0-9a-f]{64}))?$/;

/**
 * The stored diffs between versions. Names have a hash, so that a server whose time is over cannot put its own diff in
 * the place of another's, and what is let go of is named one by one.
 */
export class Diffs {
  readonly #store: Store;
  readonly #names: Map<number, string>;
  /**
   * The newest frames that another process has stored, oldest first: what nearly everybody asks for, also while the cluster
   * does not answer.
   */
  readonly #recent = new Map<number, Uint8Array<ArrayBuffer>>();

  private constructor(store: Store, names: Map<number, string>) {
    this.#store = store;
    this.#names = names;
  }

  static async open(store: Store): Promise<Diffs> {
    const versions = (await store.list(SHELF)).flatMap((name) => {
      const version = NAME.exec(name)?.[1];
      return version === undefined ? [] : [[Number(version), name] as const];
    });
    return new Diffs(store, new Map(versions));
  }

  /** The versions that a stored diff leads away from. */
  get versions(): ReadonlySet<number> {
    return new Set(this.#names.keys());
  }

  async save(from: number, hash: Hash, frame: Uint8Array<ArrayBuffer>): Promise<void> {
    const name = `${from}-${hash}`;
    if (this.#names.get(from) !== name) await this.drop(from); // of a merge that came to nothing
    await this.#store.put(SHELF, name, frame);
    this.#names.set(from, name);
  }

  async read(from: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const name = this.#names.get(from);
    return name === undefined ? undefined : (this.#recent.get(from) ?? this.#store.get(SHELF, name));
  }

  /** The hash of a stored diff, or undefined where there is none. */
  async hashOf(from: number): Promise<Hash | undefined> {
    const named = NAME.exec(this.#names.get(from) ?? "")?.[2];
    if (isHash(named)) return named;
    const frame = await this.read(from);
    return frame && sha256(frame);
  }

  /** Another process has stored a diff: its frame, or undefined where it is gone already. */
  async follow(from: number, hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#names.set(from, `${from}-${hash}`);
    this.#recent.delete(from);
    const frame = await this.read(from);
    if (frame !== undefined) this.#keep(from, frame);
    return frame;
  }

  #keep(from: number, frame: Uint8Array<ArrayBuffer>): void {
    this.#recent.delete(from);
    this.#recent.set(from, frame);
    let bytes = [...this.#recent.values()].reduce((sum, { length }) => sum + length, 0);
    for (const [oldest, { length }] of this.#recent) {
      if (bytes <= MAX_RECENT_BYTES) return;
      this.#recent.delete(oldest);
      bytes -= length;
    }
  }

  async drop(from: number): Promise<void> {
    const name = this.#names.get(from);
    if (name === undefined) return;
    this.#recent.delete(from);
    await this.#store.remove(SHELF, name);
    this.#names.delete(from);
  }

  /** Removes the known diffs that lead away from versions before `version`. */
  async dropBefore(version: number): Promise<void> {
    for (const from of [...this.#names.keys()]) if (from < version) await this.drop(from);
  }
}

/** The frame of a stored diff whose hash is known; undefined where it is gone, or where what is stored has another hash. */
export async function readNamedDiff(
  store: Pick<Store, "get">,
  from: number,
  hash: Hash,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const frame = await store.get(SHELF, `${from}-${hash}`);
  return frame !== undefined && (await sha256(frame)) === hash ? frame : undefined;
}
