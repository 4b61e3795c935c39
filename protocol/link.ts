import { ProtocolError } from "./errors.ts";
import { as, type Json } from "./guards.ts";
import { type Checks, type Identity, sign, verify, WEB_CHECKS } from "./identity.ts";
import {
  isCanonical,
  isSignature,
  isVolunteerKey,
  type RunId,
  type ServerNonce,
  type Signature,
  type TicketId,
  type VolunteerKey,
} from "./ids.ts";
import type { Recipient } from "./request.ts";
import { count, integer, message } from "./schema.ts";

/**
 * That two keys are one person's (rule U5). One of them signs the request; the other signs this, which names that one
 * request: so a link can be made with both keys alone, for one run and address, and once.
 */
export interface LinkTerms {
  readonly run: RunId;
  /** The server's public key. */
  readonly server: VolunteerKey;
  readonly origin: string;
  readonly serverNonce: ServerNonce;
  /** The request's. */
  readonly nonce: TicketId;
  /** The key that signs the request. */
  readonly volunteer: VolunteerKey;
  /** The key that signs this. */
  readonly with: VolunteerKey;
}

/** A request's body. */
export interface LinkBody {
  /** Null: the sender is to be linked with nobody any more. */
  readonly with: VolunteerKey | null;
  readonly signature?: Signature;
}

/** Keys of one person at most: some devices, each with a browser or two. */
export const MAX_LINKED = 8;

/** The body of a request of `volunteer`, signed by the other key. */
export async function signLink(
  other: Identity,
  volunteer: VolunteerKey,
  nonce: TicketId,
  { run, server, origin, serverNonce }: Recipient,
): Promise<LinkBody> {
  const terms: LinkTerms = { run, server, origin, serverNonce, nonce, volunteer, with: other.key };
  return { with: other.key, signature: await sign(other.privateKey, "link", terms) };
}

/**
 * Reads a request's body and checks the other key's signature. Throws `bad-request`, and `bad-signature` where the other
 * key did not sign these very terms.
 */
export async function openLink(
  json: Json,
  terms: Omit<LinkTerms, "with">,
  checks: Checks = WEB_CHECKS,
): Promise<VolunteerKey | null> {
  if (json.with === null) return null;
  const other = as(isVolunteerKey, json.with, "with");
  const signature = as(isSignature, json.signature, "signature");
  if (other === terms.volunteer) throw new ProtocolError("bad-request", "a key is linked with itself anyway");
  const whole: LinkTerms = { ...terms, with: other };
  if (![other, signature].every(isCanonical) || !(await verify(other, "link", whole, signature, checks))) {
    throw new ProtocolError("bad-signature", "the other key has not signed this link");
  }
  return other;
}

/** Reads the answer. Throws `bad-request`. */
export const parseTogether = message({
  /** Of the other keys. */
  linked: integer(0, MAX_LINKED - 1),
  tokens: count,
  recent: count,
  /** Deltas merged. */
  merged: count,
});
/** What all keys of one person gave together. */
export type Together = ReturnType<typeof parseTogether>;
