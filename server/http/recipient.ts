import { ProtocolError } from "../../protocol/errors.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { type Addressed, addressedTo } from "../../protocol/request.ts";
import { splitRunPath } from "../../protocol/run-name.ts";
import { isLoopback } from "../net/network.ts";
import { NO_PLACE, type Place } from "../net/place.ts";
import type { Nonces } from "./nonces.ts";

/** This server's identity, to compare with the one that a request is signed for. */
export interface Ourselves {
  readonly run: Manifest["run"];
  /** Origins that the operator named; none named: any. */
  readonly origins: readonly string[];
  /** Where the run is on a server of several. */
  readonly place?: Place | undefined;
  readonly nonces: Nonces;
}

/**
 * Throws unless a request's headers say that it is for us (rule S3): `bad-signature` where they say nothing,
 * `other-run`, `other-origin` or `server-nonce-expired`. It is asked before a body is read; the signature then
 * proves what they say. `anyNonce`: a server nonce of another server of the run is as good.
 */
export function requireOurs(
  header: (name: string) => string | undefined,
  { run, origins, place = NO_PLACE, nonces }: Ourselves,
  anyNonce = false,
): Addressed {
  const to = addressedTo(header);
  if (to.run !== run) throw new ProtocolError("other-run", "this server serves another run");
  const { origin, path } = splitRunPath(to.origin);
  const { hostname } = new URL(origin);
  const byHost = path === "" && hostname === place.hostName;
  if (!byHost && path !== place.path) {
    throw new ProtocolError("other-origin", `${to.origin} is not the address of this run`);
  }
  if (!byHost && origins.length > 0 && !origins.includes(origin) && !isOwnMachine(hostname)) {
    throw new ProtocolError(
      "other-origin",
      `the operator did not name ${origin} as an address of this server`,
    );
  }
  if (!anyNonce) nonces.requireFresh(to.serverNonce);
  return to;
}

/** Volunteers on this machine reach us without the proxy; no site elsewhere has such an address. */
const isOwnMachine = (hostname: string): boolean => isLoopback(hostname.replace(/^\[|\]$/g, ""));
