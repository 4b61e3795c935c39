import type { Context } from "hono";
import { ProtocolError } from "../../../protocol/errors.ts";
import { OPERATOR_HEADER } from "../../../protocol/operator.ts";
import type { Session, Sessions } from "../../operator/sessions.ts";
import type { Edge } from "../edge.ts";

/**
 * Who may speak to /api/operator. Two questions, both answered before a route is looked up: does the request
 * come from our own page, and does it come from somebody signed in?
 */

/**
 * Throws `foreign-origin` unless the request can only come from a page of ours. A browser says where a request
 * comes from in Sec-Fetch-Site, and for a POST in Origin; a POST must have the header that no form can send,
 * and JSON or plain bytes, which no form can be.
 */
export function requireOwnPage(c: Context<Edge>, trustProxy: boolean): void {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") throw foreign();
  const origin = c.req.header("origin");
  if (origin !== undefined && hostOf(origin) !== ownHost(c, trustProxy)) throw foreign();
  if (c.req.method === "GET") return;
  if (origin === undefined || c.req.header(OPERATOR_HEADER) !== "1") throw foreign();
  if (bodyOf(c) === undefined) throw foreign();
}

/** What a POST's body is said to be. No form can send either, without asking first as another origin's script must. */
export function bodyOf(c: Context<Edge>): "json" | "bytes" | undefined {
  const type = c.req.header("content-type") ?? "";
  if (/^application\/json(?:; *charset=utf-8)?$/i.test(type)) return "json";
  return /^application\/octet-stream$/i.test(type) ? "bytes" : undefined;
}

/** Throws `foreign-origin` unless a POST's body is of the kind that its route takes. */
export function requireBody(c: Context<Edge>, kind: "json" | "bytes"): void {
  if (c.req.method !== "GET" && bodyOf(c) !== kind) throw foreign();
}

const foreign = () =>
  new ProtocolError("foreign-origin", "operator requests come from this server's own page");

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function ownHost(c: Context<Edge>, trustProxy: boolean): string | undefined {
  const seen = trustProxy ? c.req.header("x-forwarded-host") : undefined;
  const host = seen ?? c.req.header("host") ?? new URL(c.req.url).host;
  return hostOf(`http://${host}`) === undefined ? undefined : normalHost(host, isSecure(c, trustProxy));
}

/** Without the port that the scheme implies, as an Origin is written. */
const normalHost = (host: string, secure: boolean): string =>
  new URL(`${secure ? "https" : "http"}://${host}`).host;

/** Whether the browser came by HTTPS, as far as can be told. */
export function isSecure(c: Context<Edge>, trustProxy: boolean): boolean {
  if (trustProxy) return c.req.header("x-forwarded-proto") === "https";
  const socket = c.env?.incoming?.socket;
  return socket !== undefined && "encrypted" in socket && socket.encrypted === true;
}

/** `__Host-` makes browsers refuse the name to any other host, a subdomain too, and without HTTPS. */
const NAME = { secure: "__Host-murmuration-operator", plain: "murmuration-operator" } as const;

export function setSession(c: Context<Edge>, secret: string, seconds: number, trustProxy: boolean): void {
  const secure = isSecure(c, trustProxy);
  const name = secure ? NAME.secure : NAME.plain;
  const attributes = `Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}`;
  c.header("set-cookie", `${name}=${secret}; ${attributes}`);
}

/** The cookie's secret, or undefined. */
export function secretOf(c: Context<Edge>, trustProxy: boolean): string | undefined {
  const name = isSecure(c, trustProxy) ? NAME.secure : NAME.plain;
  for (const pair of (c.req.header("cookie") ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name && value !== undefined) return value;
  }
  return undefined;
}

/** Throws `not-signed-in`. */
export function requireSession(c: Context<Edge>, sessions: Sessions, trustProxy: boolean): Session {
  const secret = secretOf(c, trustProxy);
  const session = secret === undefined ? undefined : sessions.find(secret);
  if (session === undefined) throw new ProtocolError("not-signed-in", "sign in with a link from the server");
  return session;
}
