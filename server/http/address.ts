import type { Context } from "hono";
import type { Edge } from "./edge.ts";

/**
 * Who is on the other side, for rate limits. X-Forwarded-For is a stranger's word unless the operator said
 * that a proxy writes it; then its last entry is the one that proxy saw.
 */
export function addressOf(c: Context<Edge>, trustProxy: boolean): string {
  if (trustProxy) {
    const seen = c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim();
    if (seen !== undefined && seen.length > 0 && seen.length <= 64) return seen;
  }
  return c.env?.incoming?.socket?.remoteAddress ?? "unknown";
}
