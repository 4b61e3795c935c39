import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";

/** Finds the addresses of a host's name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** Whether an address is one of the internet at large: none of this machine, of a private network, or with a use of its own. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address); // an IPv4 address in IPv6's clothes counts as the former
  return parsed.range() === "unicast";
}

export const resolveName: Resolve = (host) => lookup(host, { all: true });

/** The address to connect to. Undefined where the host has none, or any that is not allowed: one bad one taints the name. */
export async function allowedAddress(
  host: string,
  resolve: Resolve,
  isAllowed: (address: string) => boolean,
): Promise<LookupAddress | undefined> {
  const plain = host.replace(/^\[(.*)\]$/, "$1");
  const found = ipaddr.isValid(plain)
    ? [{ address: plain, family: plain.includes(":") ? 6 : 4 }]
    : await resolve(plain);
  return found.every(({ address }) => isAllowed(address)) ? found[0] : undefined;
}
