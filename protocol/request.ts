import { ProtocolError } from "./errors.ts";
import { type Checks, type Identity, sha256, sign, verify, WEB_CHECKS } from "./identity.ts";
import {
  isCanonical,
  isRunId,
  isServerNonce,
  isSignature,
  isTicketId,
  isVolunteerKey,
  type RunId,
  type ServerNonce,
  type TicketId,
  type VolunteerKey,
} from "./ids.ts";
import { MAX_RUN_NAME, splitRunPath } from "./run-name.ts";

/**
 * A signed request (rules S2 and S3). The signature covers what is asked (method, path, body, nonce) and of whom
 * (run, server, the origin in the client's address bar with the run's path, the server's nonce): a request that was captured can be
 * changed nowhere, and sent again to no other run, server, address or process.
 */
export const KEY_HEADER = "murmuration-key";
export const NONCE_HEADER = "murmuration-nonce";
export const SIGNATURE_HEADER = "murmuration-signature";
export const RUN_HEADER = "murmuration-run";
export const ORIGIN_HEADER = "murmuration-origin";
/** On the manifest and every answer to a signed request, and on every signed request. */
export const SERVER_NONCE_HEADER = "murmuration-server-nonce";

/** Characters of an origin: a host name has 253, and a scheme, a port and perhaps a run's path come with it. */
const MAX_ORIGIN = 270 + "/r/".length + MAX_RUN_NAME;

/** The run and server that a request is for. */
export interface Recipient {
  readonly run: RunId;
  /** The server's public key, as the manifest names it. */
  readonly server: VolunteerKey;
  /**
   * By which the client reaches the run, e.g. `https://train.example`, or `https://train.example/r/whales` on a server
   * of several (rule S5).
   */
  readonly origin: string;
  /** The newest that this server sent. */
  readonly serverNonce: ServerNonce;
}

/** A request's method, path and body. */
export interface Asked {
  readonly method: string;
  /** Path and query below the server's base, e.g. `/api/tickets`. */
  readonly path: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

export interface SignedRequest {
  readonly volunteer: VolunteerKey;
  /** An upload's is its ticket's id; any other request draws its own. */
  readonly nonce: TicketId;
}

/** A signed request's recipient, as its headers name it; only {@link verifyRequest} proves it. */
export type Addressed = Omit<Recipient, "server">;

/** The headers that sign one request. */
export async function signRequest(
  identity: Identity,
  { method, path, body }: Asked,
  nonce: TicketId,
  to: Recipient,
): Promise<Record<string, string>> {
  const { run, server, origin, serverNonce } = to;
  const message = { method, path, body: await sha256(body), nonce, run, server, origin, serverNonce };
  return {
    [KEY_HEADER]: identity.key,
    [NONCE_HEADER]: nonce,
    [RUN_HEADER]: run,
    [ORIGIN_HEADER]: origin,
    [SERVER_NONCE_HEADER]: serverNonce,
    [SIGNATURE_HEADER]: await sign(identity.privateKey, "request", message),
  };
}

type Header = (name: string) => string | undefined;

/** Reads whom a request is for, before anything else of it is looked at. Throws `bad-signature`. */
export function addressedTo(header: Header): Addressed {
  const run = header(RUN_HEADER);
  const origin = header(ORIGIN_HEADER);
  const serverNonce = header(SERVER_NONCE_HEADER);
  if (!isRunId(run) || !isOrigin(origin) || !isServerNonce(serverNonce)) {
    throw new ProtocolError(
      "bad-signature",
      "the request does not say which run it is for, or is not signed",
    );
  }
  return { run, origin, serverNonce };
}

/**
 * Checks a request's signature, as a request to `server`. Throws `bad-signature` when its headers are absent,
 * malformed or wrong.
 */
export async function verifyRequest(
  header: Header,
  { method, path, body }: Asked,
  server: VolunteerKey,
  checks: Checks = WEB_CHECKS,
): Promise<SignedRequest> {
  const volunteer = header(KEY_HEADER);
  const nonce = header(NONCE_HEADER);
  const signature = header(SIGNATURE_HEADER);
  if (!isVolunteerKey(volunteer) || !isTicketId(nonce) || !isSignature(signature)) {
    throw new ProtocolError("bad-signature", "the request is not signed");
  }
  if (![volunteer, nonce, signature].every(isCanonical)) {
    throw new ProtocolError("bad-signature", "a key, nonce or signature is not in its one spelling");
  }
  const message = { method, path, body: await checks.sha256(body), nonce, server, ...addressedTo(header) };
  if (!(await verify(volunteer, "request", message, signature, checks))) {
    throw new ProtocolError("bad-signature", "the signature does not fit the request");
  }
  return { volunteer, nonce };
}

/** An http(s) origin in the one spelling that browsers give it (RFC 6454 §6.2), with a run's path behind it or without. */
function isOrigin(value: string | undefined): value is string {
  if (value === undefined || value.length > MAX_ORIGIN || !/^https?:/.test(value)) return false;
  const { origin } = splitRunPath(value);
  return URL.parse(origin)?.origin === origin;
}
