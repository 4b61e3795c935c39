import { TLSSocket } from "node:tls";
import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { isPersonId, isTeamId, type PersonId } from "../../protocol/ids.ts";
import { type Person, personPage } from "../../protocol/person.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { escaped } from "../lib/escaped.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { clientHosts, clientScheme } from "../net/forwarded.ts";
import { CSP, NO_STORE } from "../net/headers.ts";
import { prefixOf } from "../net/network.ts";
import { NO_PLACE, type Place, pathFor } from "../net/place.ts";
import type { RunService } from "../run/service.ts";
import { json, whole } from "./answer.ts";
import { large } from "./large.ts";
import { type PageOptions, sendPage } from "./pages.ts";
import { ShareCards } from "./share-cards.ts";

/** How long a social network may keep a card, which shows a number that grows. */
const CARD_CACHE = "public, max-age=300";

export interface PersonOptions extends PageOptions {
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly place?: Place | undefined;
  /** Under which a proxy serves us. */
  readonly basePath?: string | undefined;
  /** Cards that are drawn, where the server's other runs draw on the same processor. */
  readonly cards?: ShareCards | undefined;
}

/** A person's page, its data, and the card that is shown where its address is shared (rule U7). */
export function personRoutes(app: Hono<Edge>, service: RunService, options: PersonOptions): void {
  const cards = options.cards ?? new ShareCards(options.now);
  const known = (c: Context<Edge>): Person & { readonly id: PersonId } => {
    const id = c.req.param("id");
    const found = isPersonId(id) ? service.person(id) : undefined;
    if (!isPersonId(id) || found === undefined)
      throw new ProtocolError("not-found", "there is no such page (any more)");
    return { ...found, id };
  };
  app.get("/api/people/:id", (c) => {
    const { id: _, ...person } = known(c);
    return json(c, person);
  });
  app.get("/api/people/:id/card.png", (c) => {
    const { id, name, tokens } = known(c);
    const address = addressOf(c, options.proxies);
    const card = { name, tokens: large(tokens), run: service.manifest().name };
    const png = cards.of(id, card, prefixOf(address) ?? address);
    c.header("cross-origin-resource-policy", "cross-origin");
    return whole(c, png, 200, { "content-type": "image/png", "cache-control": CARD_CACHE });
  });
  app.get(ROUTES.teams, (c) => json(c, { teams: service.teams() }));
  app.get("/api/teams/:id", (c) => {
    const id = c.req.param("id");
    const team = isTeamId(id) ? service.team(id) : undefined;
    if (team === undefined) throw new ProtocolError("not-found", "there is no such team (any more)");
    return json(c, team);
  });
  app.get("/person", (c) => {
    const page = options.assets.find("/person");
    const id = c.req.query("id");
    const person = isPersonId(id) ? service.person(id) : undefined;
    if (page === undefined) throw new ProtocolError("not-found", "no such page");
    // Of somebody who is not known here the page itself says so: another server may know.
    if (person === undefined || !isPersonId(id)) return sendPage(c, page, options);
    c.header("content-security-policy", CSP.page(options.mirror));
    const html = new TextDecoder().decode(page.bytes);
    const about = cardTags(person, id, service.manifest().name, addressFor(c, options));
    const named = html.replace("</head>", () => `${about}</head>`);
    return whole(c, named, 200, { "content-type": page.type, "cache-control": NO_STORE });
  });
}

/** What social networks read of a page (ogp.me). The name is a stranger's word. */
function cardTags({ name, tokens }: Person, id: PersonId, run: string, address: string): string {
  const tags = {
    "og:type": "profile",
    "og:title": name,
    "og:description": `${large(tokens)} tokens for ${run}, trained in a browser.`,
    "og:url": address + personPage(id),
    "og:image": address + ROUTES.personCard(id),
    "og:image:width": "1200",
    "og:image:height": "630",
  };
  const lines = Object.entries(tags).map(
    ([of, text]) => `<meta property="${of}" content="${escaped(text)}" />`,
  );
  return `${lines.join("")}<meta name="twitter:card" content="summary_large_image" />`;
}

/** The server's own address, by which whoever asks came: networks take no relative one. */
function addressFor(c: Context<Edge>, { proxies, place = NO_PLACE, basePath = "" }: PersonOptions): string {
  const read = (name: string) => c.req.header(name);
  const encrypted = c.env?.incoming?.socket instanceof TLSSocket;
  const scheme = clientScheme(read, proxies) ?? (encrypted ? "https" : "http");
  const host = clientHosts(read, proxies).at(-1) ?? "localhost";
  return `${scheme}://${host}${basePath}${pathFor(read, place, proxies)}`;
}
