import type { IncomingMessage } from "node:http";
import { ROUTES } from "../../protocol/routes.ts";

/** `http://authority/path?query`, which proxies send and every server must take (RFC 9112 §3.2.2). */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#@]+)([/?].*)?$/i;

/**
 * Brings a request's target into origin form, so that all that follows sees a path. Returns false for a request that
 * must be answered with 400: one with two Host headers, one in HTTP/1.1 without any, or an absolute target that is
 * none. In an absolute target the authority counts, and a Host header that differs is ignored (RFC 9112 §3.2.2).
 */
export function normalizeTarget(request: IncomingMessage): boolean {
  const hosts = hostsOf(request);
  if (hosts.length > 1) return false;
  if (!hosts[0] && request.httpVersion !== "1.0") return false;
  // About the server as a whole (RFC 9110 §9.3.7): answered as the one address that every server of ours has.
  if (request.method === "OPTIONS" && request.url === "*") request.url = ROUTES.health;
  const target = request.url ?? "";
  if (!/^https?:/i.test(target)) return true;
  const [, authority, rest = "/"] = ABSOLUTE_FORM.exec(target) ?? [];
  if (authority === undefined) return false;
  request.url = rest.startsWith("/") ? rest : `/${rest}`;
  setHost(request, authority);
  return true;
}

/** The path of a request whose target is in either form, as it was sent; undefined for another target. */
export function pathOf({ url = "" }: IncomingMessage): string | undefined {
  const origin = url.startsWith("/") ? url : (ABSOLUTE_FORM.exec(url)?.[2] ?? "");
  return origin.startsWith("/") ? origin.split("?", 1)[0] : undefined;
}

/** The value of every Host header. Node keeps only the first in `headers`. */
const hostsOf = ({ rawHeaders }: IncomingMessage): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === "host");

function setHost(request: IncomingMessage, host: string): void {
  request.headers.host = host;
  const at = request.rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === "host");
  if (at < 0) request.rawHeaders.push("Host", host);
  else request.rawHeaders[at + 1] = host;
}
