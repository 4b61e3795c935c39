import { readFileSync } from "node:fs";
import type { Authenticator } from "@nats-io/transport-node";
import { messageOf } from "../../model/lib/message-of.ts";
import { StoreError } from "./store.ts";

/** Names of the environment, which are those of NATS's own command line. */
export interface LoginEnvironment {
  readonly NATS_USER?: string | undefined;
  readonly NATS_PASSWORD?: string | undefined;
  readonly NATS_TOKEN?: string | undefined;
  readonly NATS_CREDS?: string | undefined;
}

/** What a connection is opened with. */
export interface Login {
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly authenticator?: Authenticator;
}

const WAYS = "NATS_USER and NATS_PASSWORD, NATS_TOKEN, or NATS_CREDS";

/**
 * What this server logs in to a cluster with: nothing where the environment says nothing. `ofCreds` makes of a credentials
 * file's bytes what signs for it. Throws a StoreError where the environment names two, or half of one.
 */
export function loginOf(
  { NATS_USER: user, NATS_PASSWORD: pass, NATS_TOKEN: token, NATS_CREDS: file }: LoginEnvironment,
  ofCreds: (creds: Uint8Array) => Authenticator,
): Login {
  const ways = [user ?? pass, token, file].filter((way) => way !== undefined && way !== "");
  if (ways.length > 1) throw new StoreError(`the environment must have one of ${WAYS}`);
  if (!user !== !pass) throw new StoreError("NATS_USER and NATS_PASSWORD come together");
  if (user && pass) return { user, pass };
  if (token) return { token };
  if (!file) return {};
  try {
    return { authenticator: ofCreds(readFileSync(file)) };
  } catch (error) {
    throw new StoreError(`NATS_CREDS cannot be read: ${messageOf(error)}`);
  }
}

/** Servers of an address: `nats://a,b,c`. Throws a StoreError for any other, which names no login that is in it. */
export function serversIn(address: string): string[] {
  if (/^nats:\/\/[\w.:[\],-]+$/.test(address)) return address.slice("nats://".length).split(",");
  throw new StoreError(
    address.includes("@")
      ? `an address of a cluster has no password in it: set ${WAYS} in the environment`
      : `an address of a cluster is such as nats://a,b,c, not ${JSON.stringify(address)}`,
  );
}

/** Why a cluster could not be reached, for whoever must mend it. */
export const refusedLine = (error: unknown): string => {
  const why = messageOf(error);
  return /authori[sz]ation|authentication/i.test(why)
    ? `it does not take this login (${why}): ${WAYS} in the environment must be one of its accounts`
    : why;
};
