import type { Hash, TicketId } from "../../protocol/ids.ts";
import type { DurableEvent } from "../coordinator/events.ts";
import type { Outcome } from "../coordinator/outcomes.ts";
import { begin, type State } from "../coordinator/state.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { Checkpoint, SnapshotPlace } from "./checkpoint.ts";
import type { RunDefinition } from "./genesis.ts";
import { type MergeTerms, mergeTermsOf } from "./merge-rule.ts";
import { type FrameAt, Projections } from "./projections.ts";
import { decodeRecord, type JournalRecord } from "./record.ts";

/** The result of replaying the journal's records from some point on. */
export interface Replay {
  readonly projections: Projections;
  /** Versions in order, without a gap, to the newest. What the first was made of is not told. */
  readonly versions: readonly ReplayedVersion[];
}

/** With the terms that it was closed by. */
export interface ReplayedVersion extends SnapshotPlace, MergeTerms {
  /** Of a roll-back: it has the weights of an earlier version, which is stored whole. */
  readonly rolledBack?: true;
  /** It cannot be merged again: retention has let go of a frame. */
  readonly lost?: true;
  /** SHA-256 of the diff that leads here. */
  readonly diff?: Hash;
  readonly merged: readonly FrameAt[];
}

/** Sees each event with what it was applied to and what it ended. */
export type Observer = (
  event: DurableEvent,
  seen: {
    /** Undefined before the first event. */
    readonly before: State | undefined;
    readonly ended: readonly Outcome[];
    readonly frame: JournalRecord["frame"];
  },
) => void | Promise<void>;

/**
 * Reads the journal from `from`, or from its beginning: applies what was decided, decides nothing, and brings
 * the index up to date. `starts` tells the versions that a replay can start from: those before the first of
 * them are not told, so that memory does not grow with the run's age. Without `frames` none are read: then nobody knows of
 * a version that it lacks one.
 */
export async function replay(
  store: Store,
  definition: RunDefinition,
  from: Checkpoint | undefined,
  starts: (hash: Hash) => boolean,
  observe: Observer,
  frames = true,
): Promise<Replay> {
  let projections = from && new Projections(from.state, from.applied, from);
  let versions: ReplayedVersion[] = [];
  /** Tickets that wait, and whose frames are no more. */
  const stripped = new Set<TicketId>();
  const base = from?.places.at(-1);
  if (base !== undefined) versions.push({ ...base, merged: [] });
  for await (const { sequence, record } of store.records(from?.applied ?? 0, frames)) {
    const { event, frame } = decodeRecord(record);
    if (projections === undefined) {
      if (event.type !== "created") throw new StoreError("the journal does not begin with a run's creation");
      await observe(event, { before: undefined, ended: [], frame });
      projections = new Projections(begin(event), 1);
      versions.push({ version: 0, hash: event.hash, needs: 0, merged: [] });
      if (store.index.applied === 0) store.index.apply([]);
      continue;
    }
    if (event.type === "created") throw new StoreError(`a second run begins at journal record ${sequence}`);
    const before = projections.state;
    const closed = event.type === "published" ? before.closing?.event : undefined;
    const merged = projections.placesOf(closed);
    const { entries, ended } = projections.apply(definition.rules, event, event.at);
    if (store.index.applied === sequence) store.index.apply(entries);
    const observing = observe(event, { before, ended, frame });
    if (observing !== undefined) await observing;
    if (frames && event.type === "accepted" && frame.length === 0) stripped.add(event.ticket);
    const lost = ended.filter(({ ticket }) => stripped.delete(ticket)).length > 0;
    if (event.type === "rolled-back") {
      const { needs } = projections;
      versions.push({ version: event.version, hash: event.hash, rolledBack: true, needs, merged: [] });
    }
    if (event.type !== "published") continue;
    const { version, hash, diff } = event;
    const { needs } = projections;
    if (starts(hash) && !starts(versions[0]!.hash)) versions = [];
    const terms = closed && mergeTermsOf(closed);
    versions.push({ version, hash, diff, needs, merged, ...terms, ...(lost && { lost }) });
  }
  if (projections === undefined) throw new StoreError("the journal is empty");
  return { projections, versions };
}
