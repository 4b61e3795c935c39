import { canonicalBytes } from "./canonical.ts";
import { as, asArray, asInteger, asNumber, asObject, type Json } from "./guards.ts";
import { sha256, sign, verify } from "./identity.ts";
import {
  type Hash,
  isHash,
  isRunId,
  isSignature,
  isTicketId,
  isVolunteerKey,
  type RunId,
  type Signature,
  type TicketId,
  type VolunteerKey,
} from "./ids.ts";

/**
 * A version's record (rules G1 to G4): every delta with its signer and weight, in the order of the
 * merge, and the step that applied their mean. Each record names the one before it, so that the newest
 * record's hash commits the server to all of the run's past.
 */
export interface VersionTerms {
  readonly run: RunId;
  /** From 1: version 0 is the genesis, whose hash is the run's id. */
  readonly version: number;
  /** The hash of the record before; the run's id, for version 1. */
  readonly previous: Hash;
  /** SHA-256 of the version's safetensors file. */
  readonly model: Hash;
  /** SHA-256 of the diff frame that leads here. */
  readonly diff: Hash;
  /** The outer step and the downlink's codec, as the run's settings have them. */
  readonly step: Json;
  readonly merged: readonly MergedEntry[];
}

export interface MergedEntry {
  readonly ticket: TicketId;
  /** The key that signed the upload. */
  readonly volunteer: VolunteerKey;
  /** SHA-256 of the delta's frame. */
  readonly delta: Hash;
  /** Its weight in the mean, before division by their sum. */
  readonly weight: number;
}

export interface VersionRecord extends VersionTerms {
  readonly signature: Signature;
}

/** That a delta is in a version: its record, and the delta's place among the merged, from 0. */
export interface DeltaProof {
  readonly record: VersionRecord;
  readonly position: number;
}

/** Entries of a record that a reader takes: sixty-four times what a server merges at once. */
const MAX_MERGED = 65_536;

/** The hash by which the next record names this one: of the very bytes that are signed. */
export function recordHash(terms: VersionTerms): Promise<Hash> {
  return sha256(canonicalBytes("version", termsOf(terms)));
}

export async function signRecord(privateKey: CryptoKey, terms: VersionTerms): Promise<VersionRecord> {
  return { ...terms, signature: await sign(privateKey, "version", termsOf(terms)) };
}

export function verifyRecord(key: VolunteerKey, record: VersionRecord): Promise<boolean> {
  return verify(key, "version", termsOf(record), record.signature);
}

/** A volunteer's own delta, as the server's receipt describes it. */
export type OwnDelta = Pick<MergedEntry, "ticket" | "volunteer" | "delta"> & { readonly run: RunId };

/** Whether a proof shows, by the server's own signature, that this delta was merged (rule G4). */
export async function verifyProof(key: VolunteerKey, proof: DeltaProof, own: OwnDelta): Promise<boolean> {
  const entry = proof.record.merged[proof.position];
  return (
    entry !== undefined &&
    proof.record.run === own.run &&
    entry.ticket === own.ticket &&
    entry.volunteer === own.volunteer &&
    entry.delta === own.delta &&
    (await verifyRecord(key, proof.record))
  );
}

/** Reads a record from JSON; unknown fields are dropped. Throws `bad-request`. */
export function parseRecord(json: Json): VersionRecord {
  return {
    run: as(isRunId, json.run, "record.run"),
    version: asInteger(json.version, "record.version", 1, Number.MAX_SAFE_INTEGER),
    previous: as(isHash, json.previous, "record.previous"),
    model: as(isHash, json.model, "record.model"),
    diff: as(isHash, json.diff, "record.diff"),
    step: asObject(json.step, "record.step"),
    merged: asArray(json.merged, "record.merged", MAX_MERGED).map((value, i) => {
      const entry = asObject(value, `record.merged[${i}]`);
      return {
        ticket: as(isTicketId, entry.ticket, "ticket"),
        volunteer: as(isVolunteerKey, entry.volunteer, "volunteer"),
        delta: as(isHash, entry.delta, "delta"),
        weight: asNumber(entry.weight, "weight", 0, Number.MAX_VALUE),
      };
    }),
    signature: as(isSignature, json.signature, "record.signature"),
  };
}

export function parseProof(json: Json): DeltaProof {
  return {
    record: parseRecord(asObject(json.record, "record")),
    position: asInteger(json.position, "position", 0, MAX_MERGED),
  };
}

/** The signed fields alone, whatever else the value carries. */
function termsOf({ run, version, previous, model, diff, step, merged }: VersionTerms): VersionTerms {
  return { run, version, previous, model, diff, step, merged };
}
