import { fromBase64Url, toBase64Url } from "./bytes.ts";

/** Branded ids: a hash cannot be passed where a volunteer's key is meant. */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** 64 lower-case hex digits: a SHA-256. */
export type Hash = Brand<string, "Hash">;
/** A run's id: the hash of its genesis record, so that two runs never share tickets or caches. */
export type RunId = Brand<string, "RunId">;
/** A volunteer: its raw Ed25519 public key, 32 bytes, base64url without padding (43 characters). */
export type VolunteerKey = Brand<string, "VolunteerKey">;
/** A ticket's nonce: 16 random bytes, base64url without padding (22 characters). */
export type TicketId = Brand<string, "TicketId">;
/** A server's nonce (rule S3): 16 random bytes, base64url without padding (22 characters). */
export type ServerNonce = Brand<string, "ServerNonce">;
/** An Ed25519 signature, 64 bytes, base64url without padding (86 characters). */
export type Signature = Brand<string, "Signature">;
/** An object that can be passed on in chunks: `snapshots/HASH`, `shards/HASH` or `diffs/VERSION`. */
export type ObjectName = Brand<string, "ObjectName">;
/** One browser's name among its peers for one visit: 16 random bytes, base64url, that say nothing of the volunteer. */
export type PeerId = Brand<string, "PeerId">;

/** A person's page: 16 random bytes, base64url, that say nothing of the person. */
export type PersonId = Brand<string, "PersonId">;

/** A team: 16 random bytes, base64url. */
export type TeamId = Brand<string, "TeamId">;

const HASH = /^[0-9a-f]{64}$/;
const KEY = /^[A-Za-z0-9_-]{43}$/;
const NONCE = /^[A-Za-z0-9_-]{22}$/;
const OBJECT = /^(?:(?:snapshots|shards)\/[0-9a-f]{64}|diffs\/(?:0|[1-9]\d{0,14}))$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;

export const isHash = (value: unknown): value is Hash => typeof value === "string" && HASH.test(value);
export const isRunId = (value: unknown): value is RunId => typeof value === "string" && HASH.test(value);
export const isVolunteerKey = (value: unknown): value is VolunteerKey =>
  typeof value === "string" && KEY.test(value);
export const isTicketId = (value: unknown): value is TicketId =>
  typeof value === "string" && NONCE.test(value);
export const isServerNonce = (value: unknown): value is ServerNonce =>
  typeof value === "string" && NONCE.test(value);
export const isSignature = (value: unknown): value is Signature =>
  typeof value === "string" && SIGNATURE.test(value);
export const isObjectName = (value: unknown): value is ObjectName =>
  typeof value === "string" && OBJECT.test(value);
export const isPeerId = (value: unknown): value is PeerId => typeof value === "string" && NONCE.test(value);

export const isPersonId = (value: unknown): value is PersonId =>
  typeof value === "string" && NONCE.test(value);

export const isTeamId = (value: unknown): value is TeamId => typeof value === "string" && NONCE.test(value);

export const snapshotName = (hash: Hash): ObjectName => `snapshots/${hash}` as ObjectName;
export const shardName = (hash: Hash): ObjectName => `shards/${hash}` as ObjectName;
export const diffName = (version: number): ObjectName => `diffs/${version}` as ObjectName;

/**
 * Whether a key, nonce or signature is spelled in the one way of its bytes: base64url leaves up to four bits of the last
 * character unused, and with others there the same bytes would be up to sixteen texts. What strangers send is held
 * against this; an old journal may hold other spellings, which then are volunteers of their own.
 */
export function isCanonical(text: string): boolean {
  try {
    return toBase64Url(fromBase64Url(text)) === text;
  } catch {
    return false;
  }
}
