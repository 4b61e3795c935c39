import { messageOf } from "../../model/lib/message-of.ts";
import { DENSE2 } from "../../protocol/codec/codec.ts";
import { requireFinite } from "../../protocol/codec/scale.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { addFrame, checkFrame, frameBytes } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Cache, keeps } from "../cache/cache.ts";
import { KEYS, readReplica, type SavedReplica } from "../cache/entries.ts";
import type { Api } from "../transport/api.ts";
import { WrongBytes } from "../transport/away.ts";

/** The file format of a version, which the replica itself does not know (model/data/safetensors.ts). */
export interface ModelFile {
  /** The one file of these weights: its SHA-256 is the version's hash (rule H1). It may share their memory. */
  write(weights: Float32Array): Uint8Array<ArrayBuffer>;
  /** Throws where the bytes are not such a file. The weights may share their memory. */
  read(bytes: Uint8Array<ArrayBuffer>): Float32Array<ArrayBuffer>;
  /** The same weights in memory of their own, of which a file can be made without another copy. */
  copy(weights: Float32Array): Float32Array<ArrayBuffer>;
}

export interface ReplicaOptions {
  readonly api: Pick<Api, "snapshot" | "diff">;
  readonly cache: Cache;
  readonly file: ModelFile;
  /** Values in the flat vector. */
  readonly parameters: number;
  readonly signal: AbortSignal;
  readonly progress?: (what: "weights" | "change", bytes: number, total: number) => void;
  /** Called before a diff is asked for; what it returns hears the diff's bytes once they are there. */
  readonly timed?: () => (bytes: number) => void;
  /** Hears of every version that the copy is brought to. */
  readonly moved?: (replica: Replica) => void;
  /** Bytes of earlier versions that are kept at hand; absent: none. */
  readonly recent?: number;
}

/** The volunteer's copy of the model on the CPU, always whole and of a known hash (rules B1 to B3). */
export class Replica {
  readonly #options: ReplicaOptions;
  #current: SavedReplica | undefined;
  #saved: Hash | undefined;
  /** Earlier versions, the newest first. */
  #recent: readonly SavedReplica[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** Bytes of the run's diffs, once one was seen; until then the fewest possible. */
  #diffBytes: number;

  private constructor(options: ReplicaOptions, saved: SavedReplica | undefined) {
    this.#options = options;
    this.#current = saved;
    this.#saved = saved?.hash;
    this.#diffBytes = frameBytes(DENSE2, options.parameters);
  }

  /** Takes the cached copy, if its bytes still have the hash they were saved with. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const saved = await readReplica(options.cache, options.parameters);
    const whole = saved && (await sha256(options.file.write(saved.weights))) === saved.hash;
    return new Replica(options, whole ? saved : undefined);
  }

  /** The version at hand; undefined before the first {@link sync}. */
  get version(): number | undefined {
    return this.#current?.version;
  }

  /** The hash of the version at hand. */
  get hash(): Hash | undefined {
    return this.#current?.hash;
  }

  /** The file of the version at hand, in memory of its own; undefined for any other hash. */
  fileOf(hash: Hash): Uint8Array<ArrayBuffer> | undefined {
    return this.#current?.hash === hash ? this.#options.file.write(this.#current.weights).slice() : undefined;
  }

  /**
   * Brings the copy to a version and returns its weights, which the caller must not change. Takes the diffs
   * from the version at hand, or the snapshot where that is fewer bytes; a chain that is missing, damaged or
   * leads to other bytes than the hash names is replaced by the snapshot. Throws `not-found` when the server
   * keeps no such snapshot, and WrongBytes when what it sent is no model of this run; the copy at hand then
   * stays. One at a time, in the order of the calls.
   */
  sync(version: number, hash: Hash): Promise<Float32Array<ArrayBuffer>> {
    const synced = this.#last.then(() => this.#sync(version, hash));
    this.#last = synced.catch(() => undefined);
    return synced;
  }

  async #sync(version: number, hash: Hash): Promise<Float32Array<ArrayBuffer>> {
    if (this.#current?.hash === hash) {
      this.#current = { ...this.#current, version };
      return this.#current.weights;
    }
    const next = (await this.#chain(version, hash)) ?? (await this.#snapshot(hash));
    this.#keep(this.#current);
    this.#current = { version, hash, weights: next };
    this.#options.moved?.(this);
    return next;
  }

  /** The weights of any version, which the caller must not change; the copy stays where it is. Throws as {@link sync} does. */
  async weightsOf(hash: Hash): Promise<Float32Array> {
    const kept = [this.#current, ...this.#recent].find((one) => one?.hash === hash);
    return kept?.weights ?? this.#snapshot(hash);
  }

  #keep(left: SavedReplica | undefined): void {
    const { recent = 0, parameters } = this.#options;
    if (left === undefined) return;
    this.#recent = [left, ...this.#recent].slice(0, Math.floor(recent / (4 * parameters)));
  }

  /** Writes the copy to the cache, unless it is there already. */
  async save(): Promise<void> {
    const { cache, parameters } = this.#options;
    if (this.#current === undefined || this.#current.hash === this.#saved || !keeps(cache, parameters))
      return;
    this.#saved = this.#current.hash;
    await cache.write({ [KEYS.replica]: this.#current });
  }

  /** The weights after the diffs, or undefined where the snapshot is the better or the only way. */
  async #chain(version: number, hash: Hash): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { api, file, parameters, signal, progress, timed } = this.#options;
    const from = this.#current;
    if (from === undefined || from.version >= version) return undefined;
    const diffs = version - from.version;
    const dear = (left: number) => left * this.#diffBytes >= parameters * 4;
    if (dear(diffs)) return undefined;
    try {
      const weights = file.copy(from.weights);
      for (let done = 0; done < diffs; done++) {
        const heard = (bytes: number, total: number) =>
          progress?.("change", done * this.#diffBytes + bytes, (diffs - 1) * this.#diffBytes + total);
        const came = timed?.();
        const frame = await api.diff(from.version + done, parameters, { signal, progress: heard });
        this.#diffBytes = frame.length;
        came?.(frame.length);
        checkFrame(frame, parameters);
        addFrame(frame, weights, 1); // as the server did (rule B1)
        if (dear(diffs - done - 1)) return undefined;
      }
      return (await sha256(file.write(weights))) === hash ? weights : undefined;
    } catch (error) {
      if (error instanceof ProtocolError || error instanceof WrongBytes) return undefined;
      throw error;
    }
  }

  async #snapshot(hash: Hash): Promise<Float32Array<ArrayBuffer>> {
    const { api, file, parameters, signal, progress } = this.#options;
    const heard = (bytes: number, total: number) =>
      progress?.("weights", bytes, Math.max(total, parameters * 4));
    heard(0, 0); // shown before the first byte has come from a slow server
    const bytes = await api.snapshot(hash, parameters, { signal, progress: heard });
    try {
      const weights = file.read(bytes);
      if (weights.length !== parameters) throw new Error(`${weights.length} values, not ${parameters}`);
      requireFinite(weights);
      return weights;
    } catch (error) {
      throw new WrongBytes(`snapshot ${hash}: ${messageOf(error)}`);
    }
  }
}
