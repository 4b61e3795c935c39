import type { Hash } from "../../protocol/ids.ts";
import type { ModelPlace } from "../evaluate/ports.ts";
import type { Vectors } from "../merge/vectors.ts";
import type { Store } from "../store/store.ts";
import type { Checkpoint, SnapshotPlace } from "./checkpoint.ts";
import type { Diffs } from "./diffs.ts";
import type { RunDefinition } from "./genesis.ts";
import { type Followed, NextVersion, type VersionBytes } from "./next-version.ts";
import { oldWeights } from "./old-weights.ts";
import type { Asked } from "./recent-deltas.ts";
import { RecentFiles } from "./recent-files.ts";
import { Retention, type Stored } from "./retention.ts";
import { loadSnapshot, readSnapshotFile } from "./snapshots.ts";

export interface PublishedVersionsParts {
  readonly store: Pick<Store, "get">;
  readonly task: Pick<RunDefinition["task"], "decode">;
  readonly next: NextVersion;
  readonly diffs: Pick<Diffs, "read" | "hashOf">;
  readonly retention: Pick<
    Retention,
    "places" | "storing" | "has" | "atMost" | "around" | "rolledBack" | "due" | "save" | "idle"
  >;
}

/** The versions of the run in a store, from what was found there when it was opened. */
export function publishedVersions(
  store: Store,
  { task, settings }: Pick<RunDefinition, "task" | "settings">,
  hash: Hash,
  current: VersionBytes,
  stored: Stored,
): PublishedVersions {
  const { diffs } = stored;
  const next = new NextVersion({ task, diffs, load: (named) => loadSnapshot(store, task, named) });
  const retention = new Retention(store, settings, stored);
  return new PublishedVersions({ store, task, next, diffs, retention }, hash, current);
}

/** The bytes of a run's versions: the current one in memory, recent files, stored snapshots, and diffs between versions. */
export class PublishedVersions {
  readonly #parts: PublishedVersionsParts;
  readonly #recent: RecentFiles;
  /** Another process stores versions, and lets go of them. */
  #follows = false;
  #current: VersionBytes;

  constructor(parts: PublishedVersionsParts, hash: Hash, current: VersionBytes) {
    this.#parts = parts;
    this.#recent = new RecentFiles(hash, current.file);
    this.#current = current;
  }

  /** Becomes current when its event is durable. */
  get next(): NextVersion {
    return this.#parts.next;
  }

  get current(): VersionBytes {
    return this.#current;
  }

  /** Versions stored whole, oldest first. */
  get stored(): readonly SnapshotPlace[] {
    return this.#parts.retention.places;
  }

  /** The vectors that are being stored. */
  get storing(): Vectors | undefined {
    return this.#parts.retention.storing;
  }

  /** Makes a version ready that another process has published. See {@link NextVersion.followed}. */
  prepareFollowed(followed: Followed): Promise<void> {
    this.#follows = true;
    return this.next.followed(this.#current.vectors, followed);
  }

  /** The version that was made ready is durable in the journal. */
  advance(hash: Hash): void {
    this.#current = this.next.take();
    this.#recent.add(hash, this.#current.file);
  }

  /** See {@link Retention.rolledBack}. */
  rolledBack(place: SnapshotPlace): void {
    this.#parts.retention.rolledBack(place);
  }

  /** The newest version stored whole that is not after `version`. */
  storedAtMost(version: number): SnapshotPlace | undefined {
    return this.#parts.retention.atMost(version);
  }

  /** The published file of a version that is kept, or undefined. */
  async snapshot(hash: Hash): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const kept = this.#recent.get(hash);
    if (kept !== undefined || !(this.#follows || this.#parts.retention.has(hash))) return kept;
    return readSnapshotFile(this.#parts.store, hash);
  }

  /** The frame that leads from a version to the next, or undefined where it is not kept. */
  diff(from: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#parts.diffs.read(from);
  }

  /** The hash of {@link diff}, or undefined where it is not kept. */
  diffHash(from: number): Promise<Hash | undefined> {
    return this.#parts.diffs.hashOf(from);
  }

  /** The weights of an earlier version, as far as they can be had. */
  weightsAt(version: number): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { task, retention } = this.#parts;
    return oldWeights(this.#parts, task, retention.around(version), version);
  }

  /** How a version can be put together out of what is stored; undefined where no stored diffs lead to it. */
  async placeOf(version: number, hash: Hash): Promise<ModelPlace | undefined> {
    const from = this.#parts.retention.atMost(version);
    if (from === undefined) return undefined;
    const diffs: Hash[] = [];
    for (let at = from.version; at < version; at++) {
      const diff = await this.#parts.diffs.hashOf(at);
      if (diff === undefined) return undefined; // across a roll-back
      diffs.push(diff);
    }
    return { version, hash, from: { version: from.version, hash: from.hash }, diffs };
  }

  /** Whether `version` should be stored now. */
  due(version: number): boolean {
    return this.#parts.retention.due(version);
  }

  /** Stores the current version whole. Rejects where it cannot be stored. */
  save(
    place: SnapshotPlace,
    at: Omit<Checkpoint, "places"> & { readonly asked: readonly Asked[] },
  ): Promise<void> {
    return this.#parts.retention.save(place, this.#current.file, this.#current.vectors, at);
  }

  /** Waits for a snapshot that is being written. */
  idle(): Promise<void> {
    return this.#parts.retention.idle();
  }
}
