import { clientHosts, type ReadHeader } from "./forwarded.ts";

/** Where a run is on a server of several. */
export interface Place {
  /** Its path below the server's base, e.g. `/r/whales`; nothing on a server of one run. */
  readonly path: string;
  /** Its own host name, where it has one, in lower case. */
  readonly hostName?: string | undefined;
}

/** That of the run of a server of one. */
export const NO_PLACE: Place = { path: "" };

/** The path that belongs to the origin of whoever asks: none for one who came by the run's own host name (rule S5). */
export function pathFor(read: ReadHeader, { path, hostName }: Place, proxies: number): string {
  if (hostName === undefined) return path;
  return clientHosts(read, proxies).some((host) => nameOf(host) === hostName) ? "" : path;
}

/**
 * The first label of the host by which a client came, where that host is one below `domain`, e.g. `whales` of
 * `whales.train.example:8443`. Behind a trusted proxy its word on the host counts too.
 */
export function labelBelow(domain: string, read: ReadHeader, proxies: number): string | undefined {
  for (const host of clientHosts(read, proxies)) {
    const name = nameOf(host);
    if (name.endsWith(`.${domain}`)) return name.slice(0, -domain.length - 1);
  }
  return undefined;
}

/** A host without its port, in lower case. */
const nameOf = (host: string): string => host.replace(/:\d+$/, "").toLowerCase();
