import type { Moments } from "../../model/trainer.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { type Hash, isHash, isVolunteerKey } from "../../protocol/ids.ts";
import { decodeUpload, type Upload } from "../../protocol/upload.ts";
import type { Cache } from "./cache.ts";

/** The keys of a run's cache, and readers that return a value only when it has the shape of today's release. */
export const KEYS = {
  identity: "identity",
  replica: "replica",
  volunteer: "volunteer",
  pending: "pending",
  shards: "shards",
  shard: (hash: Hash) => `shard/${hash}`,
  probe: "probe",
} as const;

/** The CPU copy of the model and which version it is. */
export interface SavedReplica {
  readonly version: number;
  readonly hash: Hash;
  /** Flat, as laid out by model/layout.ts. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** What a volunteer carries from ticket to ticket. */
export interface VolunteerState {
  /** The version of the ticket that left this state. */
  readonly version: number;
  readonly moments: Moments | undefined;
  /** What compression left out of the last delta, not yet decayed; or a whole delta that was not taken. */
  readonly residual: Float32Array | undefined;
  /** Whether {@link residual} holds a delta that the server refused as too late. */
  readonly unsent: boolean;
}

type Fields = Readonly<Record<string, unknown>>;
/** The fields of anything; none where it is no object. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {}; // any object is a record of unknowns

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
/** `instanceof` would miss typed arrays of another realm (a test's, an extension's). */
const isFloats = (value: unknown, length: number): value is Float32Array<ArrayBuffer> =>
  Object.prototype.toString.call(value) === "[object Float32Array]" && fieldsOf(value).length === length;
const isBytes = (value: unknown): value is Uint8Array<ArrayBuffer> =>
  Object.prototype.toString.call(value) === "[object Uint8Array]";

/** The volunteer's key pair of this run, made on first use. No script can export its private half. */
export async function openIdentity(cache: Cache): Promise<Identity> {
  const { key, privateKey } = fieldsOf(await cache.get(KEYS.identity));
  if (isVolunteerKey(key) && privateKey instanceof CryptoKey) return { key, privateKey };
  const identity = await createIdentity();
  await cache.write({ [KEYS.identity]: identity });
  return identity;
}

export async function readReplica(cache: Cache, parameters: number): Promise<SavedReplica | undefined> {
  const { version, hash, weights } = fieldsOf(await cache.get(KEYS.replica));
  if (!isCount(version) || !isHash(hash) || !isFloats(weights, parameters)) return undefined;
  return { version, hash, weights };
}

export async function readVolunteer(cache: Cache, parameters: number): Promise<VolunteerState | undefined> {
  const { version, moments, residual, unsent } = fieldsOf(await cache.get(KEYS.volunteer));
  if (!isCount(version) || typeof unsent !== "boolean") return undefined;
  if (residual !== undefined && !isFloats(residual, parameters)) return undefined;
  if (moments === undefined) return { version, moments, residual, unsent };
  const { m, v, step } = fieldsOf(moments);
  if (!isFloats(m, parameters) || !isFloats(v, parameters) || !isCount(step)) return undefined;
  return { version, moments: { m, v, step }, residual, unsent };
}

/** The body of an upload that has no receipt yet: sent again, byte for byte, after a reload. */
export async function readPending(
  cache: Cache,
): Promise<(Upload & { body: Uint8Array<ArrayBuffer> }) | undefined> {
  const body = await cache.get(KEYS.pending);
  if (!isBytes(body)) return undefined;
  try {
    return { ...decodeUpload(body), body };
  } catch {
    return undefined;
  }
}

/** A winner is believed for a week: drivers and machines change. */
const PROBE_DAYS_MS = 7 * 86_400_000;

/** The device that won the probe under this description lately. */
export async function readProbe(cache: Cache, description: string, now: number): Promise<string | undefined> {
  const { winner, at, description: saved } = fieldsOf(await cache.get(KEYS.probe));
  if (typeof winner !== "string" || !isCount(at) || Math.abs(now - at) > PROBE_DAYS_MS) return undefined;
  return saved === description ? winner : undefined;
}

export function saveProbe(cache: Cache, description: string, winner: string, now: number): Promise<void> {
  return cache.write({ [KEYS.probe]: { description, winner, at: now } });
}
