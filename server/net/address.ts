import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { Edge } from "./edge.ts";
import { clientAddress } from "./forwarded.ts";

/** The sender's address, for rate limits, behind this many trusted proxies (forwarded.ts). */
export function addressOf(c: Context<Edge>, proxies: number): string {
  const remote = c.env?.passed?.address ?? c.env?.incoming?.socket?.remoteAddress;
  return clientAddress((name) => c.req.header(name), remote, proxies);
}

/** The same of a request that no route sees. */
export function addressIn({ headers, socket }: IncomingMessage, proxies: number): string {
  return clientAddress((name) => headers[name]?.toString(), socket.remoteAddress, proxies);
}
