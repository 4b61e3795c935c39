import { ProtocolError } from "../../protocol/errors.ts";
import { clientHosts, clientScheme, type ReadHeader } from "./forwarded.ts";

/** Characters of an address that a refusal repeats. */
const MAX_SHOWN = 100;

/**
 * Throws `foreign-origin` where a browser says that a request comes from another site's page, or may. Sec-Fetch-Site is
 * the browser's own comparison of the page's address with the one it asked, and no script can set it: it holds where a
 * proxy rewrites Host. Browsers send it to https:// and to this machine only; elsewhere Origin is compared with the
 * hosts by which the browser may have come.
 */
export function requireOwnOrigin(read: ReadHeader, proxies: number): void {
  const site = read("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") throw foreign();
  const origin = read("origin");
  if (origin === undefined || site === "same-origin") return;
  const page = URL.parse(origin);
  const hosts = clientHosts(read, proxies);
  // Read with the page's scheme, so that a port which that implies may be left out.
  if (page !== null && hosts.some((host) => URL.parse(`${page.protocol}//${host}`)?.host === page.host))
    return;
  throw foreign(
    `the page is at ${origin.slice(0, MAX_SHOWN)}, but the request names ${hosts.join(", ").slice(0, MAX_SHOWN)}: ` +
      "a proxy that rewrites Host must send X-Forwarded-Host and X-Forwarded-Proto, and the server be started with --trust-proxy",
  );
}

export const foreign = (why = "operator requests come from this server's own page"): ProtocolError =>
  new ProtocolError("foreign-origin", why);

/**
 * Whether the browser came by HTTPS, as far as is known: by a trusted proxy's word, by the page's own address, or
 * by the socket.
 */
export function cameByHttps(read: ReadHeader, encrypted: boolean, proxies: number): boolean {
  const scheme = clientScheme(read, proxies);
  if (scheme !== undefined) return scheme === "https";
  return encrypted || read("origin")?.startsWith("https://") === true;
}
