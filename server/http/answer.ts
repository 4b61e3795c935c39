import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Logger } from "pino";
import { ERROR_STATUS, ProtocolError } from "../../protocol/errors.ts";
import { retryAfter } from "../lib/retry-after.ts";
import type { Edge } from "../net/edge.ts";
import { NO_STORE, REVALIDATE } from "../net/headers.ts";
import { setStrictHeaders } from "./gate.ts";

/** The few ways a route answers. */
export function json(c: Context<Edge>, value: unknown, cache = NO_STORE): Response {
  return whole(c, JSON.stringify(value), 200, { "content-type": JSON_TYPE, "cache-control": cache });
}

export const JSON_TYPE = "application/json; charset=utf-8";

/**
 * Bytes of a body written at once. One large write would show no progress until all of it had left, and by HTTPS all of
 * it would be encrypted, and held twice, for a reader that takes nothing.
 */
const PIECE_BYTES = 64 * 1024;

/** A body whose length is known, and said. Hono leaves the body out for a HEAD, which so learns the length. */
export function whole(
  c: Context<Edge>,
  body: string | Uint8Array<ArrayBuffer>,
  status: ContentfulStatusCode,
  headers: Record<string, string>,
): Response {
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  c.header("content-length", String(length));
  if (length <= PIECE_BYTES) return c.body(body, status, headers);
  return c.body(inPieces(typeof body === "string" ? new TextEncoder().encode(body) : body), status, headers);
}

/** The same bytes, not copied, a piece each time the reader has taken the one before. */
function inPieces(bytes: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream(
    {
      pull(controller) {
        controller.enqueue(bytes.subarray(at, at + PIECE_BYTES));
        at += PIECE_BYTES;
        if (at >= bytes.length) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
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
  const made = body();
  const send = (bytes: string | Uint8Array<ArrayBuffer>) =>
    whole(c, bytes, 200, { ...headers, "content-type": type });
  return made instanceof Promise ? made.then(send) : send(made);
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
  if (refusal.retryAfterMs !== undefined) c.header("retry-after", retryAfter(refusal.retryAfterMs));
  // A refused body may still be arriving: the connection ends with the answer rather than carry the rest.
  if (c.env?.incoming?.complete === false) c.header("connection", "close");
  // What an address takes is then the answer (RFC 9110 §9.3.7): HAProxy's checks ask so.
  if (refusal.code === "method-not-allowed" && c.req.method === "OPTIONS") return c.body(null, 204);
  const status = ERROR_STATUS[refusal.code];
  if (isForReading(c)) return whole(c, errorPage(c, refusal), status, { "content-type": HTML_TYPE });
  return whole(c, JSON.stringify(refusal.body()), status, { "content-type": JSON_TYPE });
}

const HTML_TYPE = "text/html; charset=utf-8";

/** Whether a person asks for a page, and no program for data. */
function isForReading(c: Context<Edge>): boolean {
  c.header("vary", "accept");
  return !c.req.path.startsWith("/api/") && /\btext\/html\b/.test(c.req.header("accept") ?? "");
}

/** Without a script or a style, which the policy of an answer that is no page of ours forbids. */
function errorPage(c: Context<Edge>, { code, message }: ProtocolError): string {
  // The way home is relative, so that it holds below any path that a proxy adds.
  const home = `./${"../".repeat(Math.max(0, c.req.path.split("/").length - 2))}`;
  const said = code === "not-found" ? "There is no page at this address." : `${message}.`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${ERROR_STATUS[code]}</title>
<h1>${said}</h1>
<p><a href="${home}">Go to the first page</a></p>
`;
}

function hide(error: unknown, c: Context<Edge>, log: Logger): ProtocolError {
  log.error({ err: error, method: c.req.method, path: c.req.path }, "a request failed");
  return new ProtocolError("internal-error", "the server could not answer this");
}
