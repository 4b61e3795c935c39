import { StoreError } from "./store.ts";

/** The port on which `deploy/nats.conf` has a node say how it does. */
const MONITOR_PORT = 8222;
/** Nodes of a cluster. */
const MAX_MONITORS = 64;

/** The monitoring ports that an operator names: `HOST:PORT[,…]`, without its port where it is 8222. Throws a StoreError. */
export function monitorsIn(text: string): string[] {
  const places = text.split(",");
  if (
    places.length <= MAX_MONITORS &&
    places.every((place) => /^(?:\[[\da-fA-F:.]+\]|[\w.-]+)(?::\d{1,5})?$/.test(place))
  )
    return places.map((place) => (/:\d+$/.test(place) ? place : `${place}:${MONITOR_PORT}`));
  throw new StoreError(
    `monitoring ports are such as 10.0.0.1:8222,10.0.0.2:8222, not ${JSON.stringify(text)}`,
  );
}

/** Where they are, unless the operator says it: beside the servers of the cluster's address, each with or without a port. */
export function monitorsBeside(servers: readonly string[]): string[] {
  const hosts = servers.map((server) => server.replace(/(?<=^\[[^\]]*\]|^[^:[]*):\d+$/, ""));
  return [...new Set(hosts)].map((host) => `${host}:${MONITOR_PORT}`);
}
