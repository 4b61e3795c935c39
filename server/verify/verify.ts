import { bytesOf } from "../../protocol/bytes.ts";
import { as } from "../../protocol/guards.ts";
import { recordHash, verifyRecord } from "../../protocol/history.ts";
import { sha256 } from "../../protocol/identity.ts";
import { type Hash, isVolunteerKey, type RunId, type VolunteerKey } from "../../protocol/ids.ts";
import type { DurableEvent, Published, RolledBack } from "../coordinator/events.ts";
import type { State } from "../coordinator/state.ts";
import { initialVectors, type Vectors } from "../merge/vectors.ts";
import { Diffs } from "../run/diffs.ts";
import { addedAt, type RunDefinition, readDefinition } from "../run/genesis.ts";
import { type Made, termsOf } from "../run/history.ts";
import { mergeTermsOf } from "../run/merge-rule.ts";
import type { AddedText, RunCorpus, TaskFactory } from "../run/options.ts";
import type { JournalRecord } from "../run/record.ts";
import { creation } from "../run/recover.ts";
import { remerge } from "../run/remerge.ts";
import { type Replay, replay } from "../run/replay.ts";
import { loadSnapshot, storedSnapshots } from "../run/snapshots.ts";
import type { Store } from "../store/store.ts";

/** The result of a successful verification. */
export interface Verified {
  readonly run: RunId;
  /** The newest version, its model's hash, and its record's (the run's id, for version 0). */
  readonly version: number;
  readonly model: Hash;
  readonly record: string;
  /** Deltas in the records. */
  readonly merged: number;
  /** Frames that are still kept, each with the hash it was receipted with. */
  readonly frames: number;
  /** The version that the replay started from. */
  readonly from: number;
  readonly snapshots: number;
  readonly diffs: number;
}

/** A run that is not what its own records say. */
export class Unverified extends Error {
  override readonly name = "Unverified";
}

/**
 * Holds a run to rules G1, G2 and G5: walks the records from the genesis and checks each one's hash, place in
 * the chain and signature; then merges again what was merged since the oldest stored snapshot, and holds every
 * version, stored snapshot and stored diff to the bytes that were published. Reads only. Rejects with
 * {@link Unverified} or a StoreError that says what is wrong and where.
 */
export async function verify(store: Store, corpus: RunCorpus, taskOf: TaskFactory): Promise<Verified> {
  // Listed before the journal is walked: whatever is stored now, the journal must know.
  const stored = await storedSnapshots(store);
  const diffs = await Diffs.open(store);
  const created = await creation(store);
  const server = as(isVolunteerKey, created.genesis.server, "the server's key");
  const definition = await readDefinition(created, { key: server }, corpus, taskOf, undefined);
  const walk = new Walk(definition, server, stored, diffs.versions, corpus.added?.() ?? []);
  const replayed = await replay(
    store,
    definition,
    undefined,
    (hash) => stored.has(hash),
    (event, { before, frame }) => walk.take(event, before, frame),
  );
  for (const hash of stored) {
    if (!walk.known.has(hash)) throw new Unverified(`snapshot ${hash} is of no version in the journal`);
  }
  const from = await mergeAgain(store, definition, replayed, stored);
  for (const [version, hash] of walk.diffs) {
    const diff = await diffs.read(version);
    if (diff !== undefined && (await sha256(diff)) !== hash) {
      throw new Unverified(`the diff from version ${version} is not the one that was published`);
    }
  }
  const { state } = replayed.projections;
  return {
    run: definition.id,
    version: state.version,
    model: state.hash,
    record: state.record ?? definition.id,
    merged: state.merged,
    frames: walk.frames,
    from,
    snapshots: stored.size,
    diffs: walk.diffs.size,
  };
}

/** Checks events as they are read. */
class Walk {
  /** Stored snapshots whose version was met. */
  readonly known = new Set<string>();
  /** The hashes of the stored diffs, by the version they lead away from. */
  readonly diffs = new Map<number, Hash>();
  frames = 0;
  readonly #definition: RunDefinition;
  readonly #server: VolunteerKey;
  readonly #stored: ReadonlySet<string>;
  readonly #diffs: ReadonlySet<number>;
  readonly #added: readonly AddedText[];

  constructor(
    definition: RunDefinition,
    server: VolunteerKey,
    stored: ReadonlySet<string>,
    diffs: ReadonlySet<number>,
    added: readonly AddedText[],
  ) {
    this.#added = added;
    this.#definition = definition;
    this.#server = server;
    this.#stored = stored;
    this.#diffs = diffs;
  }

  async take(event: DurableEvent, before: State | undefined, frame: JournalRecord["frame"]): Promise<void> {
    if ("hash" in event && this.#stored.has(event.hash)) this.known.add(event.hash);
    if (event.type === "accepted" && frame.length > 0) {
      this.frames += 1;
      if ((await sha256(frame)) !== event.delta) {
        throw new Unverified(`the frame of ticket ${event.ticket} is not the one that was receipted`);
      }
    }
    if (before === undefined) return;
    if (event.type === "text-added") addedAt(this.#added, before.texts.length, event.text);
    if (event.type === "published") {
      const { version, hash, diff } = event;
      if (this.#diffs.has(version - 1)) this.diffs.set(version - 1, diff);
      const { entries = [], event: closed } = before.closing ?? {};
      const terms = closed && mergeTermsOf(closed);
      await this.#sealed(event, before, { model: hash, diff, merged: entries, ...terms });
    } else if (event.type === "rolled-back") {
      const { hash, to } = event;
      await this.#sealed(event, before, { model: hash, diff: hash, merged: [], backTo: to });
    }
  }

  /** Holds a version's record, as the journal gives it, to the one that was published. */
  async #sealed(
    { version, record, signature }: Published | RolledBack,
    before: State,
    made: Omit<Made, "version" | "previous">,
  ): Promise<void> {
    const terms = termsOf(this.#definition, { version, previous: before.record, ...made });
    if ((await recordHash(terms)) !== record) {
      throw new Unverified(`version ${version}: the journal does not give the record that was published`);
    }
    if (!(await verifyRecord(this.#server, { ...terms, signature }))) {
      throw new Unverified(`version ${version}: the record's signature is not the server's`);
    }
  }
}

/**
 * Merges again from the oldest stored snapshot since which nothing is lost, or from the seed where none is stored;
 * returns its version. What a roll-back went back to is kept longer than the frames after it.
 */
async function mergeAgain(
  store: Store,
  definition: RunDefinition,
  replayed: Replay,
  stored: ReadonlySet<string>,
): Promise<number> {
  const { task, settings } = definition;
  const gap = replayed.versions.findLastIndex(({ lost }) => lost);
  const begin = gap < 0 ? 0 : replayed.versions.findIndex(({ hash }, i) => i >= gap && stored.has(hash));
  const first = replayed.versions[begin]; // there is always one
  if (first === undefined) throw new Unverified("retention has let go of deltas after the newest snapshot");
  const seeded = !stored.has(first.hash);
  let vectors = seeded
    ? initialVectors(await task.initial(settings.seed))
    : await loadSnapshot(store, task, first.hash);
  if (seeded && (first.version > 0 || (await sha256(task.encode(vectors.x))) !== first.hash)) {
    throw new Unverified("no snapshot is stored, and the seed does not give version 0");
  }
  for (const next of replayed.versions.slice(begin + 1)) {
    vectors = await remerge(store, definition, vectors, next);
    if (stored.has(next.hash)) sameState(vectors, await loadSnapshot(store, task, next.hash), next.version);
  }
  return first.version;
}

/** The server's own vectors of a version must come out the same too, or the next version would not. */
function sameState(again: Vectors, stored: Vectors, version: number): void {
  const same = ([a, b]: readonly [Float32Array, Float32Array]) =>
    Buffer.compare(bytesOf(a), bytesOf(b)) === 0;
  const pairs = [
    [again.theta, stored.theta],
    [again.momentum, stored.momentum],
  ] as const;
  if (!pairs.every(same)) throw new Unverified(`the state stored with version ${version} is another`);
}
