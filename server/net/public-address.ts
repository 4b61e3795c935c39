import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import ipaddr from "ipaddr.js";

/** Finds the addresses of a host's name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** All of IPv6 that is given out for the internet at large (RFC 4291 §2.4). Below it are old forms of IPv4 addresses too. */
const GLOBAL_6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** An address like others, at which a machine in Azure finds what is meant for itself alone. */
const OF_MACHINES = new Set(["168.63.129.16"]);

/** Whether an address is one of the internet at large: none of this machine, of a private network, or with a use of its own. */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address); // an IPv4 address in IPv6's clothes counts as the former
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(GLOBAL_6)) return false;
  return parsed.range() === "unicast" && !OF_MACHINES.has(parsed.toString());
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
