import type { Context, MiddlewareHandler } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { Edge } from "../net/edge.ts";
import { STRICT_HEADERS } from "../net/headers.ts";
import { MAX_PATH_CHARS } from "../net/limits.ts";

/**
 * Every request passes here first. Paths here are plain: letters, digits, `.`, `_`, `-`, and no segment that
 * is empty or starts with a dot. Nothing of ours needs an escape, so `//`, `/../`, `%2e`, `%00`, a backslash
 * and the rest of that family are refused as they were sent, before anyone normalises them. One slash may stand at
 * the end: of a page's path it is taken off (pages.ts), anywhere else it is another path.
 */
const PLAIN_PATH = /^\/(?:[\w-][\w.-]*(?:\/[\w-][\w.-]*)*\/?)?$/;

export const gate: MiddlewareHandler<Edge> = async (c, next) => {
  setStrictHeaders(c);
  const path = targetOf(c).split("?", 1)[0] ?? "";
  if (path.length > MAX_PATH_CHARS || !PLAIN_PATH.test(path)) {
    throw new ProtocolError("not-found", "there is nothing here");
  }
  await next();
};

/** The method whose handler answers: a HEAD is a GET whose body is left out. */
export const methodOf = (c: Context<Edge>): string => (c.req.method === "HEAD" ? "GET" : c.req.method);

export function setStrictHeaders(c: Context<Edge>): void {
  c.header(PROTOCOL_HEADER, String(PROTOCOL_VERSION));
  for (const [name, value] of Object.entries(STRICT_HEADERS)) c.header(name, value);
}

/** The request's path and query exactly as sent, where a socket is there to ask. */
export function targetOf(c: Context<Edge>): string {
  const sent = c.env?.passed?.target ?? c.env?.incoming?.url;
  if (sent !== undefined) return sent;
  const url = new URL(c.req.url);
  return url.pathname + url.search;
}
