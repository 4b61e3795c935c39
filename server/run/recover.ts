import { sha256 } from "../../protocol/identity.ts";
import type { Hash, TicketId } from "../../protocol/ids.ts";
import { initialVectors, merge, type Vectors, type WeightedFrame } from "../merge/merge.ts";
import type { Log } from "../options.ts";
import { endsOf } from "../rounds/ends.ts";
import type { Closed, Created, DurableEvent } from "../rounds/events.ts";
import { reduce } from "../rounds/reduce.ts";
import type { Rules } from "../rounds/rules.ts";
import { begin, restarted, type State } from "../rounds/state.ts";
import { type Fact, type Store, StoreError } from "../store/store.ts";
import type { Founded } from "./genesis.ts";
import type { RecordFacts } from "./index-feed.ts";
import { decodeRecord } from "./record.ts";
import { loadSnapshot, storedSnapshots } from "./snapshots.ts";

/** A run as its journal tells it. */
export interface Recovered {
  readonly founded: Founded;
  readonly state: State;
  readonly vectors: Vectors;
  /** The published file of the current version. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** Where the frames of deltas not yet merged are in the journal. */
  readonly frames: Map<TicketId, number>;
  /** Stored snapshots, oldest first. */
  readonly snapshots: SnapshotPlace[];
}

export interface SnapshotPlace {
  readonly version: number;
  readonly hash: Hash;
  /** To go on from here, the journal's frames from this sequence number on are needed. */
  readonly needs: number;
}

/**
 * Reads the whole journal: applies what was decided (and decides nothing), brings the index up to date, then
 * rebuilds the vectors from the newest sound snapshot by merging again what was merged since, and holds every
 * hash against the one that was published. Throws a StoreError where they differ.
 */
export async function recover(
  store: Store,
  foundedOf: (created: Created) => Promise<Founded>,
  log: Log,
  observe: (event: DurableEvent) => void = () => {},
): Promise<Recovered> {
  const story = await read(store, foundedOf, observe);
  const { founded, state, versions, frames } = story;
  const stored = await storedSnapshots(store);
  const places = versions.filter(({ hash }) => stored.has(hash));
  const start = await newestSound(store, founded, versions[0]!, places, log);
  let { vectors } = start;
  for (const { version, hash, merged } of versions.slice(start.version + 1)) {
    const weighted = await readFrames(store, merged);
    ({ vectors } = merge(vectors, weighted, founded.settings.outer, founded.settings.downlink));
    if ((await sha256(founded.task.encode(vectors.x))) !== hash) {
      throw new StoreError(`merging version ${version} again does not give the hash that was published`);
    }
  }
  return {
    founded,
    state: restarted(state),
    vectors,
    file: founded.task.encode(vectors.x),
    frames,
    snapshots: places.filter(({ version }) => version <= start.version),
  };
}

/** The frames of a closed version with their weights, in its order. */
export async function readFrames(store: Store, merged: readonly FrameAt[]): Promise<WeightedFrame[]> {
  const frames: WeightedFrame[] = [];
  for (const { sequence, weight } of merged) {
    const { frame } = decodeRecord(await store.read(sequence));
    if (frame.length === 0)
      throw new StoreError(`journal record ${sequence} has lost its frame to retention`);
    frames.push({ frame, weight });
  }
  return frames;
}

export interface FrameAt {
  readonly sequence: number;
  readonly weight: number;
}

/** What happened, as a journal's records tell it. */
interface Story {
  readonly founded: Founded;
  readonly state: State;
  /** Every version from 0. */
  readonly versions: readonly (SnapshotPlace & { readonly merged: readonly FrameAt[] })[];
  readonly frames: Map<TicketId, number>;
}

async function read(
  store: Store,
  foundedOf: (created: Created) => Promise<Founded>,
  observe: (event: DurableEvent) => void,
): Promise<Story> {
  let story: { founded: Founded; state: State } | undefined;
  const versions: (SnapshotPlace & { merged: readonly FrameAt[] })[] = [];
  const frames = new Map<TicketId, number>();
  for await (const { sequence, record } of store.records()) {
    const { event } = decodeRecord(record);
    observe(event);
    if (story === undefined) {
      if (event.type !== "created") throw new StoreError("the journal does not begin with a run's creation");
      story = { founded: await foundedOf(event), state: begin(event) };
      versions.push({ version: 0, hash: event.hash, needs: 0, merged: [] });
      const { index } = store;
      if (index.run !== story.founded.id || index.applied > store.length) index.clear(story.founded.id);
      if (index.applied === 0) index.apply([]);
      continue;
    }
    if (event.type === "created") throw new StoreError(`a second run begins at journal record ${sequence}`);
    const { state: before } = story;
    if (store.index.applied === sequence) store.index.apply(factsOf(before, event));
    if (event.type === "accepted") frames.set(event.ticket, sequence);
    const merged = event.type === "published" ? placesOf(before.closing?.event, frames) : [];
    for (const { ticket } of endsOf(before, event)) frames.delete(ticket);
    story.state = reduce(story.founded.rules, before, event, event.at).state;
    if (event.type === "published") {
      const needs = Math.min(sequence, ...frames.values());
      versions.push({ version: event.version, hash: event.hash, needs, merged });
    }
  }
  if (story === undefined) throw new StoreError("the journal is empty");
  return { ...story, versions, frames };
}

/** What the index must learn of the journal's records before `before`, from its beginning. */
export async function* factsBefore(store: Store, rules: Rules, before: number): AsyncGenerator<RecordFacts> {
  let state: State | undefined;
  for await (const { sequence, record } of store.records()) {
    if (sequence >= before) return;
    const { event } = decodeRecord(record);
    if (event.type === "created") {
      state = begin(event);
      yield { sequence, facts: [] };
      continue;
    }
    if (state === undefined) throw new StoreError("the journal does not begin with a run's creation");
    yield { sequence, facts: factsOf(state, event) };
    state = reduce(rules, state, event, event.at).state;
  }
}

/** What the index must learn from an event that is about to be applied to `state`. */
export function factsOf(state: State, event: DurableEvent): Fact[] {
  const ends = endsOf(state, event).map((end): Fact => ({ type: "ended", ...end }));
  if (event.type === "closed") return [{ type: "closed", version: event.version + 1 }, ...ends];
  if (event.type === "published") return [{ type: "published", version: event.version }, ...ends];
  if (event.type !== "accepted") return ends;
  const { ticket, volunteer, delta, version, tokens, at } = event;
  return [{ type: "accepted", delta: { ticket, volunteer, delta, version, tokens, accepted: at } }, ...ends];
}

/** Where the frames of a closed version are. */
export function placesOf(closed: Closed | undefined, frames: ReadonlyMap<TicketId, number>): FrameAt[] {
  return (closed?.merged ?? []).map(({ ticket, weight }) => {
    const sequence = frames.get(ticket);
    if (sequence === undefined) throw new StoreError(`the journal has no frame of ticket ${ticket}`);
    return { sequence, weight };
  });
}

/** The newest snapshot that can be read; failing all, version 0 drawn again from its seed. */
async function newestSound(
  store: Store,
  { task, settings }: Founded,
  first: SnapshotPlace,
  places: readonly SnapshotPlace[],
  log: Log,
): Promise<{ version: number; vectors: Vectors }> {
  for (const { version, hash } of places.toReversed()) {
    try {
      return { version, vectors: await loadSnapshot(store, task, hash) };
    } catch (error) {
      log.warn({ error: String(error), version }, "a snapshot cannot be used; trying an older one");
    }
  }
  const vectors = initialVectors(task.initial(settings.seed));
  if ((await sha256(task.encode(vectors.x))) !== first.hash) {
    throw new StoreError("no snapshot can be used, and the seed does not give version 0 again");
  }
  return { version: 0, vectors };
}
