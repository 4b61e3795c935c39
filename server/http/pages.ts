import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { Edge } from "../net/edge.ts";
import { CSP, IMMUTABLE, ISOLATED, NO_STORE, REVALIDATE } from "../net/headers.ts";
import { tagged, whole } from "./answer.ts";
import { type Asset, type Assets, codingFor } from "./assets.ts";
import { methodOf } from "./gate.ts";
import { methodNotAllowed, refuseMethod } from "./methods.ts";

/** The built pages and their scripts. `norun` is the page for a server that has no run. */
const FRAME = "/frame";
const NO_RUN = "/norun";
/** Pages of a server of several runs, by where it has them. */
const LOBBY_PAGES = new Map([
  ["/", "/lobby"],
  ["/operator", "/runs"],
]);
/** Pages that have no address of their own. */
const UNADDRESSED = new Set([NO_RUN, ...LOBBY_PAGES.values()]);
/** Pages for an operator who is about to make the run: the operator's, and the one that measures a browser. */
const SETUP_PAGES = new Set(["/operator", "/bench"]);
const LOADER = "/embed.js";
/** Paths that monitors ask for; pages only for a person who types them. */
const MONITORED = new Set<string>([ROUTES.health, ROUTES.ready]);
const EMBEDDED = new Set([FRAME, LOADER]);

export interface PageOptions {
  readonly assets: Assets;
  /** Origins whose pages may frame the volunteer; absent or empty: any. */
  readonly embedOn?: readonly string[];
  /** The address that pages may fetch objects from as well. */
  readonly mirror?: string | undefined;
}

/** What the server has: a run, the setup of one, neither, or several runs, whose own pages are below this one's. */
type PagesOf = "run" | "setup" | "nothing" | "lobby";

export function pageRoutes(app: Hono<Edge>, options: PageOptions, of: PagesOf): void {
  const { assets } = options;
  const hasRun = of === "run";
  const hasLobby = of === "lobby";
  const isHere = (path: string) =>
    MONITORED.has(path) ||
    (hasLobby ? LOBBY_PAGES.has(path) : hasRun ? isPage(assets.find(path)) : !path.includes("."));
  app.all("/*", (c) => {
    const { path } = c.req;
    refuseMethod(app, c);
    const found = assets.find(path);
    if (methodOf(c) !== "GET") throw found === undefined ? noPage() : methodNotAllowed(c, ["GET"]);
    if (path.endsWith("/") && path !== "/") {
      // People and proxies add a slash. A redirect keeps the page's relative addresses right, as answering would not.
      if (isHere(path.slice(0, -1))) return redirect(c);
      throw noPage();
    }
    if (hasRun) {
      if (found === undefined && path === "/") return unbuilt(c);
      if (found === undefined || UNADDRESSED.has(found.path)) throw noPage();
      return sendPage(c, found, options);
    }
    if (hasLobby) {
      const page = LOBBY_PAGES.get(path);
      const asset = page === undefined ? found : assets.find(page);
      if (asset === undefined && page !== undefined) return unbuilt(c);
      if (asset === undefined || (page === undefined && !isScriptOrStyle(asset))) throw noPage();
      return sendPage(c, asset, options);
    }
    const making = of === "setup" && SETUP_PAGES.has(path);
    if (found !== undefined && (making || !isPage(found))) return sendPage(c, found, options);
    if (found === undefined && path.includes(".")) throw noPage();
    const page = assets.find(NO_RUN);
    return page === undefined ? noRunInWords(c) : sendPage(c, page, options);
  });
}

const noPage = () => new ProtocolError("not-found", "no such page");
/** What pages are made of; the loader and the frame belong to one run. */
const isScriptOrStyle = (asset: Asset) => !isPage(asset) && !EMBEDDED.has(asset.path);
const isPage = (asset: Asset | undefined) => asset?.type.startsWith("text/html") === true;

/** To the same path without its last slash. Relative, so that it holds below any path that a proxy adds. */
function redirect(c: Context<Edge>): Response {
  const { pathname, search } = new URL(c.req.url);
  return c.body(null, 301, { location: `../${pathname.split("/").at(-2)}${search}` });
}

/** A page of ours, or what it is made of, with the policy that it needs. */
export function sendPage(
  c: Context<Edge>,
  asset: Asset,
  { assets, embedOn = [], mirror }: PageOptions,
): Response | Promise<Response> {
  c.header("content-security-policy", asset.path === FRAME ? CSP.frame(embedOn, mirror) : CSP.page(mirror));
  if (EMBEDDED.has(asset.path)) c.header("cross-origin-resource-policy", "cross-origin");
  if (asset.path === FRAME || asset.hashed) c.header("cross-origin-embedder-policy", ISOLATED);
  // A public script without secrets: a site that pins it by a hash needs to be let read it (SRI asks by CORS).
  if (asset.path === LOADER) c.header("access-control-allow-origin", "*");
  c.header("vary", "accept-encoding");
  const coding = codingFor(c.req.header("accept-encoding"), asset);
  const cache = asset.hashed ? IMMUTABLE : REVALIDATE;
  if (coding === undefined) return tagged(c, asset.tag, asset.type, () => asset.bytes, cache);
  c.header("content-encoding", coding);
  return tagged(c, `${asset.tag}-${coding}`, asset.type, () => assets.pack(asset, coding), cache);
}

/** A checkout whose client was never built still answers, and says what is missing. */
const unbuilt = (c: Context<Edge>) =>
  words(c, "The pages are not built. Run `npm run build:client`, then start the server again.\n");

const noRunInWords = (c: Context<Edge>) =>
  words(
    c,
    "This server has no run yet.\nAdd a text with `murmuration corpus add FILE --data DIR`, " +
      "then start `murmuration serve --data DIR --run run.json`.\n",
  );

const words = (c: Context<Edge>, text: string) =>
  whole(c, text, 200, { "content-type": "text/plain; charset=utf-8", "cache-control": NO_STORE });
