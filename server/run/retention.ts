import type { Hash } from "../../protocol/ids.ts";
import type { Vectors } from "../merge/vectors.ts";
import type { Store } from "../store/store.ts";
import { type Checkpoint, encodeCheckpoint, type SnapshotPlace } from "./checkpoint.ts";
import type { Diffs } from "./diffs.ts";
import type { Asked } from "./recent-deltas.ts";
import type { Settings } from "./settings.ts";

import { letGoOfSnapshots, namesOf, saveSnapshot } from "./snapshots.ts";

/** A run's stored versions, as they are found when it is opened. */
export interface Stored {
  /** Oldest first. */
  readonly places: readonly SnapshotPlace[];
  /** All that is stored of snapshots, also what a write that was cut short has left. */
  readonly names: readonly string[];
  readonly diffs: Diffs;
}

/** Which versions are stored whole, and what may go once a newer one is. */
export class Retention {
  readonly #store: Store;
  readonly #settings: Pick<Settings, "snapshotEvery" | "keepSnapshots" | "keepDiffs">;
  readonly #diffs: Diffs;
  /** Oldest first. */
  #places: SnapshotPlace[];
  /** What is stored of snapshots, as far as this program has seen or made it. */
  #names: ReadonlySet<string>;
  #saving: Promise<void> | undefined;
  #storing: Vectors | undefined;

  constructor(store: Store, settings: Settings, { places, names, diffs }: Stored) {
    this.#store = store;
    this.#settings = settings;
    this.#places = [...places];
    this.#names = new Set(names);
    this.#diffs = diffs;
  }

  has(hash: Hash): boolean {
    return this.#places.some((place) => place.hash === hash);
  }

  /** Oldest first. */
  get places(): readonly SnapshotPlace[] {
    return this.#places;
  }

  /** The newest version stored whole that is not after `version`. */
  atMost(version: number): SnapshotPlace | undefined {
    return this.#places.findLast((place) => place.version <= version);
  }

  /** From which a version can be reached: the newest not after it, and the oldest after it. */
  around(version: number): readonly SnapshotPlace[] {
    const after = this.#places.find((place) => place.version > version);
    return [this.atMost(version), after].filter((place) => place !== undefined);
  }

  /**
   * A roll-back's version has the weights of one that is stored: as its own place it keeps them until nothing is
   * replayed across it any more.
   */
  rolledBack(place: SnapshotPlace): void {
    this.#places.push(place);
  }

  /** Whether `version` should be stored now. */
  due(version: number): boolean {
    const newest = this.#places.at(-1)?.version ?? 0;
    return this.#saving === undefined && version - newest >= this.#settings.snapshotEvery;
  }

  /**
   * Stores a version whole; once it is durable, removes what only older ones needed, except what is `asked` for: an
   * audit that waits while the run goes on could not find out whether a delta was right for the weights it was made for.
   */
  save(
    place: SnapshotPlace,
    file: Uint8Array<ArrayBuffer>,
    vectors: Vectors,
    { asked, ...at }: Omit<Checkpoint, "places"> & { readonly asked: readonly Asked[] },
  ): Promise<void> {
    const places = this.#kept([...this.#places, place], asked);
    const checkpoint = encodeCheckpoint({ ...at, places });
    this.#storing = vectors;
    this.#saving = this.#saveAndPrune(places, file, vectors, checkpoint).finally(() => {
      this.#saving = undefined;
      this.#storing = undefined;
    });
    return this.#saving;
  }

  /** The vectors that are being stored, and must stay as they are. */
  get storing(): Vectors | undefined {
    return this.#storing;
  }

  /** Waits for a snapshot being written. */
  async idle(): Promise<void> {
    await this.#saving?.catch(() => {}); // save()'s caller got the error
  }

  /** The newest, and those that inquiries need; none of one so old that the diffs of its time are gone as well. */
  #kept(places: readonly SnapshotPlace[], asked: readonly Asked[]): SnapshotPlace[] {
    const { keepSnapshots, keepDiffs } = this.#settings;
    const diffsFrom = (places.at(-1)?.version ?? 0) - keepDiffs;
    const held = new Set(
      asked
        .filter(({ from }) => from >= diffsFrom)
        .flatMap(({ on, from }) => [
          ...this.around(from).slice(0, 1),
          places.find(({ hash }) => hash === on),
        ]),
    );
    return places.filter((place, i) => i >= places.length - keepSnapshots || held.has(place));
  }

  async #saveAndPrune(
    places: SnapshotPlace[],
    file: Uint8Array<ArrayBuffer>,
    vectors: Vectors,
    checkpoint: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const place = places.at(-1)!; // save() put it there
    this.#names = new Set([...this.#names, ...namesOf(place.hash)]);
    await saveSnapshot(this.#store, place.hash, file, vectors, checkpoint);
    this.#places = places;
    const kept = places.map(({ hash }) => hash);
    this.#names = await letGoOfSnapshots(this.#store, this.#names, kept);
    await this.#diffs.dropBefore(place.version - this.#settings.keepDiffs);
    await this.#store.strip(this.#places[0]!.needs);
  }
}
