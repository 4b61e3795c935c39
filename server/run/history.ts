import { ProtocolError } from "../../protocol/errors.ts";
import { as } from "../../protocol/guards.ts";
import {
  type DeltaProof,
  type MergedEntry,
  recordHash,
  signRecord,
  type VersionRecord,
  type VersionTerms,
} from "../../protocol/history.ts";
import type { Identity } from "../../protocol/identity.ts";
import { type Hash, isHash, type RunId, type TicketId } from "../../protocol/ids.ts";
import type { DurableEvent, Published } from "../coordinator/events.ts";
import { type Store, StoreError } from "../store/store.ts";
import type { RunDefinition } from "./genesis.ts";
import type { IndexFeed } from "./index-feed.ts";
import { type MergeTerms, mergeTermsOf } from "./merge-rule.ts";
import { decodeRecord } from "./record.ts";

/** A `published` event's part in the run's history: its record's hash and the server's signature. */
export type Seal = Pick<Published, "record" | "signature">;

export type Made = Pick<VersionTerms, "version" | "model" | "diff" | "merged"> &
  MergeTerms & {
    /** The hash of the record before; undefined for version 1, whose predecessor is the genesis. */
    readonly previous: Hash | undefined;
    /** Of a roll-back: the version whose weights it has. */
    readonly backTo?: number;
  };

/**
 * The terms of a version's record (rule G1). They follow from the journal's events alone, so that the journal
 * keeps only their hash and the signature.
 */
export function termsOf({ id, merging }: Pick<RunDefinition, "id" | "merging">, made: Made): VersionTerms {
  const { version, model, diff, merged, backTo } = made;
  const { outer, downlink, total } = merging({ version: version - 1, ...mergeTermsOf(made) });
  const over = total === undefined ? {} : { total };
  const step = backTo === undefined ? { outer: { ...outer }, downlink, ...over } : { rolledBackTo: backTo };
  const previous = made.previous ?? genesisHash(id);
  return { run: id, version, previous, model, diff, step, merged };
}

export async function seal(identity: Identity, definition: RunDefinition, made: Made): Promise<Seal> {
  const terms = termsOf(definition, made);
  const { signature } = await signRecord(identity.privateKey, terms);
  return { record: await recordHash(terms), signature };
}

/** A version's signed record, put together from the journal. Throws `not-found` before it is published. */
export async function readRecord(
  store: Store,
  index: IndexFeed,
  definition: RunDefinition,
  version: number,
): Promise<VersionRecord> {
  const published = await eventOf(store, index.version(version)?.published, "published", "rolled-back");
  const before =
    version > 1
      ? await eventOf(store, index.version(version - 1)?.published, "published", "rolled-back")
      : null;
  if (published?.type === "rolled-back") {
    if (before === undefined) throw new ProtocolError("not-found", "that version has no record (yet)");
    const { hash, to, signature } = published;
    const made = { version, previous: before?.record, model: hash, diff: hash, merged: [], backTo: to };
    return { ...termsOf(definition, made), signature };
  }
  const closed = await eventOf(store, index.version(version)?.closed, "closed");
  if (published === undefined || closed === undefined || before === undefined) {
    throw new ProtocolError("not-found", "that version has no record (yet)");
  }
  const merged = closed.merged.map(({ ticket, weight }): MergedEntry => {
    const accepted = index.delta(ticket);
    if (accepted === undefined) throw new StoreError(`the index does not know ticket ${ticket}`);
    return { ticket, volunteer: accepted.volunteer, delta: accepted.delta, weight };
  });
  const { hash: model, diff, signature } = published;
  const made = { version, previous: before?.record, model, diff, merged, ...mergeTermsOf(closed) };
  const terms = termsOf(definition, made);
  return { ...terms, signature };
}

/** The proof that a ticket's delta was merged (rule G4). Throws `not-found` while it was not. */
export async function readProof(
  index: IndexFeed,
  ticket: TicketId,
  recordOf: (version: number) => Promise<VersionRecord>,
): Promise<DeltaProof> {
  const version = index.end(ticket);
  if (typeof version !== "number") throw new ProtocolError("not-found", "that delta is in no version (yet)");
  const record = await recordOf(version);
  return { record, position: record.merged.findIndex((entry) => entry.ticket === ticket) };
}

/** A run's id is the hash of its genesis event: where the chain begins. */
const genesisHash = (id: RunId): Hash => as(isHash, id, "the run's id");

async function eventOf<T extends DurableEvent["type"]>(
  store: Store,
  sequence: number | undefined,
  ...types: T[]
): Promise<Extract<DurableEvent, { type: T }> | undefined> {
  if (sequence === undefined) return undefined;
  const { event } = decodeRecord(await store.read(sequence));
  if (!types.some((type) => event.type === type)) {
    throw new StoreError(`journal record ${sequence} is no "${types.join('" or "')}" event`);
  }
  return event as Extract<DurableEvent, { type: T }>; // the line above held it to that
}
