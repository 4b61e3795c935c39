import type { Carried } from "../../model/contract/trainer.ts";
import { createIdentity, type Identity } from "../../protocol/identity.ts";
import { type Hash, isHash, isTicketId, isVolunteerKey, type TicketId } from "../../protocol/ids.ts";
import { type InnerName, isInner } from "../../protocol/ticket.ts";
import type { Cache } from "./cache.ts";

/** The keys of a run's cache, and readers that return a value only when it has the shape of today's release. */
export const KEYS = {
  identity: "identity",
  replica: "replica",
  moments: "moments",
  residual: "residual",
  pending: "pending",
  shards: "shards",
  shard: (hash: Hash) => `shard/${hash}`,
  probe: "probe",
  tiles: "tiles",
} as const;

/** The CPU copy of the model and which version it is. */
export interface SavedReplica {
  readonly version: number;
  readonly hash: Hash;
  /** Flat, as laid out by model/contract/layout.ts. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** Adam's moments as they were when they were last saved. */
export type SavedMoments = Pick<Carried, "m" | "v" | "step"> & { readonly inner?: InnerName };

/**
 * The residual of compression, not yet decayed. A key of its own, because it is deleted with the first upload
 * after it was saved: from then on it is part of what was sent, and would count twice.
 */
export interface SavedResidual {
  /** The version of the ticket that left it. */
  readonly version: number;
  /** That ticket. */
  readonly after: TicketId;
  /** Flat. */
  readonly values: Float32Array<ArrayBuffer>;
}

type Fields = Readonly<Record<string, unknown>>;
/** The fields of anything; none where it is no object. */
export const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {}; // any object is a record of unknowns

export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
/** `instanceof` would miss typed arrays of another realm (a test's, an extension's). */
const isFloats = (value: unknown, length: number): value is Float32Array<ArrayBuffer> =>
  Object.prototype.toString.call(value) === "[object Float32Array]" && fieldsOf(value).length === length;
/** The volunteer's key pair of this run, where there is one. */
export async function readIdentity(cache: Cache): Promise<Identity | undefined> {
  const { key, privateKey } = fieldsOf(await cache.get(KEYS.identity));
  return isVolunteerKey(key) && privateKey instanceof CryptoKey ? { key, privateKey } : undefined;
}

/**
 * The same, made on first use. A `portable` one can be saved as a file by its owner, and so be read by scripts of our own
 * pages; of any other no script can export the private half.
 */
export async function openIdentity(cache: Cache, portable = false): Promise<Identity> {
  const known = await readIdentity(cache);
  if (known !== undefined) return known;
  const identity = await createIdentity(portable);
  await cache.write({ [KEYS.identity]: identity });
  return identity;
}

export async function readReplica(cache: Cache, parameters: number): Promise<SavedReplica | undefined> {
  const { version, hash, weights } = fieldsOf(await cache.get(KEYS.replica));
  if (!isCount(version) || !isHash(hash) || !isFloats(weights, parameters)) return undefined;
  return { version, hash, weights };
}

export async function readMoments(cache: Cache, parameters: number): Promise<SavedMoments | undefined> {
  const { m, v, step, inner } = fieldsOf(await cache.get(KEYS.moments));
  if (!isFloats(m, parameters) || !isFloats(v, parameters) || !isCount(step)) return undefined;
  return { m, v, step, ...(isInner(inner) && { inner }) };
}

export async function readResidual(cache: Cache, parameters: number): Promise<SavedResidual | undefined> {
  const { version, after, values } = fieldsOf(await cache.get(KEYS.residual));
  if (!isCount(version) || !isTicketId(after) || !isFloats(values, parameters)) return undefined;
  return { version, after, values };
}

/** Milliseconds that a probe's winner is kept: a week, since drivers and machines change. */
const PROBE_DAYS_MS = 7 * 86_400_000;

/** The device that won a recent probe under this description. */
export async function readProbe(cache: Cache, description: string, now: number): Promise<string | undefined> {
  const { winner, at, description: saved } = fieldsOf(await cache.get(KEYS.probe));
  if (typeof winner !== "string" || !isCount(at) || Math.abs(now - at) > PROBE_DAYS_MS) return undefined;
  return saved === description ? winner : undefined;
}

export function saveProbe(cache: Cache, description: string, winner: string, now: number): Promise<void> {
  return cache.write({ [KEYS.probe]: { description, winner, at: now } });
}
