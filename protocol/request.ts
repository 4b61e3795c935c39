import { ProtocolError } from "./errors.ts";
import { type Checks, type Identity, sha256, sign, verify, WEB_CHECKS } from "./identity.ts";
import { isSignature, isTicketId, isVolunteerKey, type TicketId, type VolunteerKey } from "./ids.ts";

/**
 * A signed request (rule S2): the signature covers method, path, body hash and nonce, so none of them can be
 * changed or sent again elsewhere. An upload's nonce is its ticket's; a ticket request draws its own.
 */
export const KEY_HEADER = "murmuration-key";
export const NONCE_HEADER = "murmuration-nonce";
export const SIGNATURE_HEADER = "murmuration-signature";

export interface SignedRequest {
  readonly volunteer: VolunteerKey;
  readonly nonce: TicketId;
}

/** The headers that sign one request. `path` is the URL's path and query, as sent. */
export async function signRequest(
  identity: Identity,
  method: string,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  nonce: TicketId,
): Promise<Record<string, string>> {
  const message = { method, path, body: await sha256(body), nonce };
  return {
    [KEY_HEADER]: identity.key,
    [NONCE_HEADER]: nonce,
    [SIGNATURE_HEADER]: await sign(identity.privateKey, "request", message),
  };
}

/** Checks a request's signature headers. Throws `bad-signature` when they are absent, malformed or wrong. */
export async function verifyRequest(
  header: (name: string) => string | undefined,
  method: string,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  checks: Checks = WEB_CHECKS,
): Promise<SignedRequest> {
  const volunteer = header(KEY_HEADER);
  const nonce = header(NONCE_HEADER);
  const signature = header(SIGNATURE_HEADER);
  if (!isVolunteerKey(volunteer) || !isTicketId(nonce) || !isSignature(signature)) {
    throw new ProtocolError("bad-signature", "the request is not signed");
  }
  const message = { method, path, body: await checks.sha256(body), nonce };
  if (!(await verify(volunteer, "request", message, signature, checks))) {
    throw new ProtocolError("bad-signature", "the signature does not fit the request");
  }
  return { volunteer, nonce };
}
