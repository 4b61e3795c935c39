import { addFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Vectors } from "../merge/vectors.ts";
import type { Store } from "../store/store.ts";
import type { Checkpoint, SnapshotPlace } from "./checkpoint.ts";
import type { Diffs } from "./diffs.ts";
import type { RunDefinition } from "./genesis.ts";
import { oldWeights } from "./old-weights.ts";
import type { Asked } from "./recent-deltas.ts";
import { RecentFiles } from "./recent-files.ts";
import { Retention, type Stored } from "./retention.ts";
import { loadSnapshot, readSnapshotFile } from "./snapshots.ts";

/** A version's vectors and the file they are published as. */
export interface VersionBytes {
  readonly vectors: Vectors;
  readonly file: Uint8Array<ArrayBuffer>;
}

/** The frame that leads from a version to the next, and its SHA-256. */
export interface Diff {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly hash: Hash;
}

/** A version as its event names it; a roll-back's has no diff. */
export interface Followed {
  readonly version: number;
  readonly hash: Hash;
  readonly diff?: Hash;
}

/** The bytes of a run's versions: the current one in memory, recent files, stored snapshots, and diffs between versions. */
export class PublishedVersions {
  readonly #store: Store;
  readonly #task: RunDefinition["task"];
  readonly #diffs: Diffs;
  readonly #retention: Retention;
  readonly #recent: RecentFiles;
  /** Another process stores versions, and lets go of them. */
  #follows = false;
  #current: VersionBytes;
  /** Becomes current when its event is durable. */
  #next: VersionBytes | undefined;

  constructor(
    store: Store,
    { task, settings }: Pick<RunDefinition, "task" | "settings">,
    hash: Hash,
    current: VersionBytes,
    stored: Stored,
  ) {
    this.#store = store;
    this.#task = task;
    this.#diffs = stored.diffs;
    this.#retention = new Retention(store, settings, stored);
    this.#recent = new RecentFiles(hash, current.file);
    this.#current = current;
  }

  get current(): VersionBytes {
    return this.#current;
  }

  /** Versions stored whole, oldest first. */
  get stored(): readonly SnapshotPlace[] {
    return this.#retention.places;
  }

  /** The vectors that are being stored. */
  get storing(): Vectors | undefined {
    return this.#retention.storing;
  }

  /** Makes a merged version ready to become current: its diff is durable when this resolves. */
  async prepareMerged(from: number, vectors: Vectors, diff: Diff): Promise<VersionBytes> {
    const next = { vectors, file: this.#task.encode(vectors.x) };
    await this.#diffs.save(from, diff.hash, diff.frame);
    this.#next = next;
    return next;
  }

  /** Makes the weights of a stored version ready to become current again, as `version`. Rejects with a StoreError. */
  async prepareStored(place: SnapshotPlace, version: number): Promise<VersionBytes> {
    const vectors = await loadSnapshot(this.#store, this.#task, place.hash);
    await this.#diffs.drop(version - 1); // of a merge that came to nothing
    const next = { vectors, file: this.#task.encode(vectors.x) };
    this.#next = next;
    return next;
  }

  /**
   * Makes a version ready that another process has published: by the diff that leads there, or from where it is stored
   * whole. Rejects with a StoreError where neither can be had any more.
   */
  async prepareFollowed({ version, hash, diff }: Followed): Promise<void> {
    this.#follows = true;
    const frame = diff && (await this.#diffs.follow(version - 1, diff));
    if (frame !== undefined) {
      const x = this.#current.vectors.x.slice();
      addFrame(frame, x, 1);
      const file = this.#task.encode(x);
      if ((await sha256(file)) === hash) {
        this.#next = { vectors: { ...this.#current.vectors, x }, file };
        return;
      }
    }
    const vectors = await loadSnapshot(this.#store, this.#task, hash);
    this.#next = { vectors, file: this.#task.encode(vectors.x) };
  }

  /** The version that was made ready is durable in the journal. */
  advance(hash: Hash): void {
    if (this.#next === undefined) throw new Error("a version was published that was not merged");
    this.#current = this.#next;
    this.#next = undefined;
    this.#recent.add(hash, this.#current.file);
  }

  /** See {@link Retention.rolledBack}. */
  rolledBack(place: SnapshotPlace): void {
    this.#retention.rolledBack(place);
  }

  /** The newest version stored whole that is not after `version`. */
  storedAtMost(version: number): SnapshotPlace | undefined {
    return this.#retention.atMost(version);
  }

  /** The published file of a version that is kept, or undefined. */
  async snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const kept = this.#recent.get(hash);
    if (kept !== undefined || !(this.#follows || this.#retention.has(hash))) return kept;
    return readSnapshotFile(this.#store, hash);
  }

  /** The frame that leads from a version to the next, or undefined where it is not kept. */
  diff(from: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#diffs.read(from);
  }

  /** The hash of {@link diff}, or undefined where it is not kept. */
  diffHash(from: number): Promise<Hash | undefined> {
    return this.#diffs.hashOf(from);
  }

  /** The weights of an earlier version, as far as they can be had. */
  weightsAt(version: number): Promise<Float32Array<ArrayBuffer> | undefined> {
    return oldWeights(
      { store: this.#store, diffs: this.#diffs },
      this.#task,
      this.#retention.around(version),
      version,
    );
  }

  /** Whether `version` should be stored now. */
  due(version: number): boolean {
    return this.#retention.due(version);
  }

  /** Stores the current version whole. Rejects where it cannot be stored. */
  save(
    place: SnapshotPlace,
    at: Omit<Checkpoint, "places"> & { readonly asked: readonly Asked[] },
  ): Promise<void> {
    return this.#retention.save(place, this.#current.file, this.#current.vectors, at);
  }

  /** Waits for a snapshot that is being written. */
  idle(): Promise<void> {
    return this.#retention.idle();
  }
}
