/**
 * A server's address is its origin and the path under which a proxy serves it, without a slash at its end: e.g.
 * `https://train.example` or `https://host.example/train`. Every path of the protocol is put behind it.
 */

/** The address of the server whose page this is. Every page of ours lies directly under it. */
export function serverOf(page: string): string {
  return withoutSlash(new URL(".", page));
}

/** Pages of ours, whose address a person may have copied for the server's. */
const PAGE = /\/(?:bench|frame|how|operator|person|playground|status)$/;

/**
 * The server that a person typed the address of, with or without a slash at its end, or the address of one of its
 * pages. Undefined where that is no http(s) address.
 */
export function serverTyped(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  url.pathname = url.pathname.replace(PAGE, "/");
  return withoutSlash(url);
}

/** A path of the protocol as a page of ours links and fetches it: relative to the page, wherever that is served. */
export const here = (path: string): string => `.${path}`;

const withoutSlash = ({ origin, pathname }: URL): string => origin + pathname.replace(/\/+$/, "");
