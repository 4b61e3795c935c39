import type { Context } from "hono";
import type { Logger } from "pino";
import { ERROR_STATUS, ProtocolError } from "../../protocol/errors.ts";
import type { Edge } from "./edge.ts";
import { setStrictHeaders } from "./gate.ts";
import { NO_STORE, REVALIDATE } from "./headers.ts";

/** The few ways a route answers. */
export function json(c: Context<Edge>, value: unknown, cache = NO_STORE): Response {
  return c.body(JSON.stringify(value), 200, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": cache,
  });
}

/** Bytes that are kept under an entity tag: 304 when the asker has them. */
export function tagged(
  c: Context<Edge>,
  tag: string,
  type: string,
  body: () => string | Uint8Array<ArrayBuffer> | Promise<string | Uint8Array<ArrayBuffer>>,
  cache = REVALIDATE,
): Response | Promise<Response> {
  const etag = `"${tag}"`;
  const headers = { etag, "cache-control": cache };
  if (asksAbout(c.req.header("if-none-match"), etag)) return c.body(null, 304, headers);
  const whole = body();
  const send = (bytes: string | Uint8Array<ArrayBuffer>) =>
    c.body(bytes, 200, { ...headers, "content-type": type });
  return whole instanceof Promise ? whole.then(send) : send(whole);
}

function asksAbout(header: string | undefined, etag: string): boolean {
  const tags = header?.split(",") ?? [];
  return tags.some((one) => one.trim().replace(/^W\//, "") === etag);
}

/** Turns whatever was thrown into one typed refusal; what we did not expect is logged and not shown. */
export function refuse(c: Context<Edge>, error: unknown, log: Logger): Response {
  setStrictHeaders(c);
  const refusal = error instanceof ProtocolError ? error : hide(error, c, log);
  c.header("cache-control", NO_STORE);
  c.header("content-type", "application/json; charset=utf-8");
  if (refusal.retryAfterMs !== undefined)
    c.header("retry-after", String(Math.ceil(refusal.retryAfterMs / 1_000)));
  // A refused body may still be arriving: the connection ends with the answer rather than carry the rest.
  if (c.env?.incoming?.complete === false) c.header("connection", "close");
  return c.body(JSON.stringify(refusal.body()), ERROR_STATUS[refusal.code]);
}

function hide(error: unknown, c: Context<Edge>, log: Logger): ProtocolError {
  log.error({ err: error, method: c.req.method, path: c.req.path }, "a request failed");
  return new ProtocolError("internal-error", "the server could not answer this");
}
