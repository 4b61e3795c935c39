import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { Closed, DurableEvent } from "../coordinator/events.ts";
import { endsOf } from "../coordinator/outcomes.ts";
import { reduce } from "../coordinator/reduce.ts";
import { begin, type State } from "../coordinator/state.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { Checkpoint, SnapshotPlace } from "./checkpoint.ts";
import { factsOf } from "./facts.ts";
import type { Founded } from "./genesis.ts";
import { LateMerges } from "./late-merges.ts";
import { decodeRecord, type JournalRecord } from "./record.ts";

/** What happened, as the journal's records tell it from some point on. */
export interface Story {
  readonly state: State;
  /** Versions in order, without a gap, to the newest. What the first was made of is not told. */
  readonly versions: readonly ToldVersion[];
  /** Journal places of the frames not yet merged. */
  readonly frames: Map<TicketId, number>;
  readonly late: LateMerges;
}

export interface ToldVersion extends SnapshotPlace {
  /** Of a roll-back: it has the weights of an earlier version, which is stored whole. */
  readonly rolledBack?: true;
  /** It cannot be merged again: retention has let go of a frame. */
  readonly lost?: true;
  /** SHA-256 of the diff that leads here. */
  readonly diff?: Hash;
  readonly merged: readonly FrameAt[];
}

export interface FrameAt {
  readonly sequence: number;
  readonly weight: number;
}

/** Sees each event with the state before it, which is undefined before the first, and its frame. */
export type Observer = (
  event: DurableEvent,
  before: State | undefined,
  frame: JournalRecord["frame"],
) => void | Promise<void>;

/**
 * Reads the journal from `from`, or from its beginning: applies what was decided, decides nothing, and brings
 * the index up to date. `starts` tells the versions that a replay can start from: those before the first of
 * them are not told, so that memory does not grow with the run's age.
 */
export async function readStory(
  store: Store,
  founded: Founded,
  from: Checkpoint | undefined,
  starts: (hash: Hash) => boolean,
  observe: Observer,
): Promise<Story> {
  let state = from?.state;
  const frames = new Map(from?.frames);
  const late = new LateMerges(from?.late);
  let versions: ToldVersion[] = [];
  /** Tickets that wait, and whose frames are no more. */
  const stripped = new Set<TicketId>();
  const base = from?.places.at(-1);
  if (base !== undefined) versions.push({ ...base, merged: [] });
  for await (const { sequence, record } of store.records(from?.applied ?? 0)) {
    const { event, frame } = decodeRecord(record);
    const observing = observe(event, state, frame);
    if (observing !== undefined) await observing;
    if (state === undefined) {
      if (event.type !== "created") throw new StoreError("the journal does not begin with a run's creation");
      state = begin(event);
      versions.push({ version: 0, hash: event.hash, needs: 0, merged: [] });
      if (store.index.applied === 0) store.index.apply([]);
      continue;
    }
    if (event.type === "created") throw new StoreError(`a second run begins at journal record ${sequence}`);
    const before = state;
    if (store.index.applied === sequence) store.index.apply(factsOf(before, event));
    late.add(event, sequence);
    if (event.type === "accepted") frames.set(event.ticket, sequence);
    if (event.type === "accepted" && frame.length === 0) stripped.add(event.ticket);
    const merged = event.type === "published" ? placesOf(before.closing?.event, frames) : [];
    let lost = false;
    for (const { ticket } of endsOf(before, event)) {
      lost = stripped.delete(ticket) || lost;
      frames.delete(ticket);
    }
    state = reduce(founded.rules, before, event, event.at).state;
    if (event.type === "rolled-back") {
      const needs = Math.min(sequence + 1, ...frames.values());
      versions.push({ version: event.version, hash: event.hash, rolledBack: true, needs, merged: [] });
    }
    if (event.type !== "published") continue;
    const { version, hash, diff } = event;
    const needs = Math.min(sequence + 1, ...frames.values());
    if (starts(hash) && !starts(versions[0]!.hash)) versions = [];
    versions.push({ version, hash, diff, needs, merged, ...(lost && { lost }) });
  }
  if (state === undefined) throw new StoreError("the journal is empty");
  return { state, versions, frames, late };
}

/** Where the frames of a closed version are. */
export function placesOf(closed: Closed | undefined, frames: ReadonlyMap<TicketId, number>): FrameAt[] {
  return (closed?.merged ?? []).map(({ ticket, weight }) => {
    const sequence = frames.get(ticket);
    if (sequence === undefined) throw new StoreError(`the journal has no frame of ticket ${ticket}`);
    return { sequence, weight };
  });
}
