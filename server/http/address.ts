import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import type { Edge } from "./edge.ts";

/**
 * Who is on the other side, for rate limits. X-Forwarded-For is a stranger's word unless the operator said
 * that a proxy writes it; then its last entry is the one that proxy saw.
 */
export function addressOf(c: Context<Edge>, trustProxy: boolean): string {
  return pick(
    trustProxy ? c.req.header("x-forwarded-for") : undefined,
    c.env?.incoming?.socket?.remoteAddress,
  );
}

/** The same of a request that no route sees. */
export function addressIn({ headers, socket }: IncomingMessage, trustProxy: boolean): string {
  return pick(trustProxy ? String(headers["x-forwarded-for"] ?? "") : undefined, socket.remoteAddress);
}

function pick(forwarded: string | undefined, remote: string | undefined): string {
  const seen = forwarded?.split(",").at(-1)?.trim();
  if (seen !== undefined && seen.length > 0 && seen.length <= 64) return seen;
  return remote ?? "unknown";
}
