import type { Context } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { OPERATOR_HEADER } from "../../protocol/operator.ts";
import type { Edge } from "../net/edge.ts";
import type { ReadHeader } from "../net/forwarded.ts";
import { MAX_PATH_CHARS } from "../net/limits.ts";
import { cameByHttps, foreign, requireOwnOrigin } from "../net/own-page.ts";
import type { Session, Sessions } from "../operator/sessions.ts";
import { methodOf } from "./gate.ts";

/**
 * Guards /api/operator with two questions, both answered before a route is looked up: does the request
 * come from our own page, and does it come from somebody signed in?
 */

/**
 * Throws `foreign-origin` unless the request can only come from a page of ours (own-page.ts). A POST must have an
 * Origin, the header that no form can send, and JSON or plain bytes, which no form can be.
 */
export function requireOwnPage(c: Context<Edge>, proxies: number): void {
  requireOwnOrigin(headersOf(c), proxies);
  if (methodOf(c) === "GET") return;
  if (c.req.header("origin") === undefined || c.req.header(OPERATOR_HEADER) !== "1") throw foreign();
  if (bodyOf(c) === undefined) throw foreign();
}

/** Content types of a POST's body. No form can send either, and another origin's script must ask first. */
function bodyOf(c: Context<Edge>): "json" | "bytes" | undefined {
  const type = c.req.header("content-type") ?? "";
  if (/^application\/json(?:; *charset=utf-8)?$/i.test(type)) return "json";
  return /^application\/octet-stream$/i.test(type) ? "bytes" : undefined;
}

/** Throws `foreign-origin` unless a POST's body is of the kind that its route takes. */
export function requireBody(c: Context<Edge>, kind: "json" | "bytes"): void {
  if (methodOf(c) !== "GET" && bodyOf(c) !== kind) throw foreign();
}

const headersOf =
  (c: Context<Edge>): ReadHeader =>
  (name) =>
    c.req.header(name) ?? (name === "host" ? new URL(c.req.url).host : undefined);

function isSecure(c: Context<Edge>, proxies: number): boolean {
  const socket = c.env?.incoming?.socket;
  const encrypted = socket !== undefined && "encrypted" in socket && socket.encrypted === true;
  return cameByHttps(headersOf(c), c.env?.passed?.encrypted ?? encrypted, proxies);
}

/**
 * `__Host-` makes browsers refuse the name to any other host, a subdomain too, and without HTTPS; it takes no path, so
 * under one the cookie is `__Secure-`, and other applications of the same host do not get it.
 */
const NAME = "murmuration-operator";
const PREFIXES = ["__Host-", "__Secure-"] as const;

/** Keeps a session in a cookie for `path`, under which the browser has our pages. */
export function setSession(
  c: Context<Edge>,
  secret: string,
  { seconds, path, proxies }: { readonly seconds: number; readonly path: string; readonly proxies: number },
): void {
  const secure = isSecure(c, proxies);
  const prefix = secure ? PREFIXES[path === "/" ? 0 : 1] : "";
  const attributes = `Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
  c.header("set-cookie", `${prefix}${NAME}=${secret}; ${attributes}`);
}

/**
 * The secrets in the request's cookies; several where two servers share a host. The bare name, which a page without
 * HTTPS could have set, counts only where the browser did not come by HTTPS for certain.
 */
export function secretsOf(c: Context<Edge>, proxies: number): readonly string[] {
  const names: string[] = PREFIXES.map((prefix) => prefix + NAME);
  if (!isSecure(c, proxies)) names.push(NAME);
  return (c.req.header("cookie") ?? "").split(";").flatMap((pair) => {
    const [key = "", value] = pair.trim().split("=", 2);
    return names.includes(key) && value !== undefined ? [value] : [];
  });
}

/** The session in any of `sessions`. Throws `not-signed-in`. */
export function requireSession(c: Context<Edge>, sessions: readonly Sessions[], proxies: number): Session {
  for (const secret of secretsOf(c, proxies)) {
    for (const open of sessions) {
      const session = open.find(secret);
      if (session !== undefined) return session;
    }
  }
  throw new ProtocolError("not-signed-in", "sign in with a link from the server");
}

/** The path of our pages as their browser sees it, e.g. `/train/`. Throws `bad-request`. */
export function cookiePath(path: unknown): string {
  if (path === undefined) return "/";
  if (typeof path === "string" && path.length <= MAX_PATH_CHARS && /^\/(?:[\w.~-]+\/)*$/.test(path))
    return path;
  throw new ProtocolError("bad-request", "path is that of the page, e.g. /train/");
}
