import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * For a proxy that passes requests on with the path under which it serves us (`--base-path /train/`). The path is
 * taken off before anything else reads the target, so that routes, signatures and logs are the same everywhere. A
 * request without it is one that came past the proxy, from a monitor or a volunteer on this machine, and is answered too.
 */
export function withoutBase(base: string, target: string): string {
  return target.startsWith(`${base}/`) ? target.slice(base.length) : target;
}

/** Takes `base`, e.g. `/train` or nothing, off a request's target. */
export function takeBase(base: string, request: IncomingMessage): void {
  if (base !== "" && request.url !== undefined) request.url = withoutBase(base, request.url);
}

/**
 * Leads from the base without a slash at its end to the base, or the relative links of its page would miss. Relative itself,
 * so that it holds below any path that a proxy adds. Returns whether the request has been answered so.
 */
export function leadToBase(base: string, request: IncomingMessage, response: ServerResponse): boolean {
  const [path, query] = (request.url ?? "").split("?", 2);
  if (base === "" || path !== base) return false;
  response
    .writeHead(308, {
      location: `${base.slice(base.lastIndexOf("/") + 1)}/${query === undefined ? "" : `?${query}`}`,
    })
    .end();
  return true;
}
