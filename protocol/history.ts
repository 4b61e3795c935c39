import { canonicalBytes } from "./canonical.ts";
import { asObject, type Json } from "./guards.ts";
import { sha256, sign, verify } from "./identity.ts";
import {
  type Hash,
  isHash,
  isRunId,
  isSignature,
  isTicketId,
  isVolunteerKey,
  type RunId,
  type VolunteerKey,
} from "./ids.ts";
import { id, integer, list, message, number, object } from "./schema.ts";

/** Entries of a record that a reader takes: sixty-four times what a server merges at once. */
const MAX_MERGED = 65_536;

const entry = object({
  ticket: id(isTicketId),
  /** The key that signed the upload. */
  volunteer: id(isVolunteerKey),
  /** SHA-256 of the delta's frame. */
  delta: id(isHash),
  /** Its weight in the mean, before division by their sum. */
  weight: number(0, Number.MAX_VALUE),
});
export type MergedEntry = ReturnType<typeof entry>;

const record = object({
  run: id(isRunId),
  /** From 1: version 0 is the genesis, whose hash is the run's id. */
  version: integer(1, Number.MAX_SAFE_INTEGER),
  /** The hash of the record before; the run's id, for version 1. */
  previous: id(isHash),
  /** SHA-256 of the version's safetensors file. */
  model: id(isHash),
  /** SHA-256 of the diff frame that leads here. */
  diff: id(isHash),
  /** The outer step and the downlink's codec, as the run's settings have them. */
  step: asObject,
  merged: list(entry, MAX_MERGED),
  signature: id(isSignature),
});

/**
 * A version's record (rules G1 to G4): every delta with its signer and weight, in the order of the
 * merge, and the step that applied their mean. Each record names the one before it, so that the newest
 * record's hash commits the server to all of the run's past.
 */
export type VersionRecord = ReturnType<typeof record>;
export type VersionTerms = Omit<VersionRecord, "signature">;

/** Reads a record from JSON; unknown fields are dropped. Throws `bad-request`. */
export const parseRecord = (json: Json): VersionRecord => record(json, "record");

export const parseProof = message({ record, position: integer(0, MAX_MERGED) });
/** That a delta is in a version: its record, and the delta's place among the merged, from 0. */
export type DeltaProof = ReturnType<typeof parseProof>;

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

/** The signed fields alone, whatever else the value carries. */
function termsOf({ run, version, previous, model, diff, step, merged }: VersionTerms): VersionTerms {
  return { run, version, previous, model, diff, step, merged };
}
