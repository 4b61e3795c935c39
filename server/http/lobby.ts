import { type Context, Hono } from "hono";
import type { Logger } from "pino";
import { ProtocolError } from "../../protocol/errors.ts";
import { LOBBY_ROUTES, type Lobby, parseRunsAction } from "../../protocol/lobby.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { KeptAnswer } from "../lib/kept-answer.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { MAX_RATE_ENTRIES, READ_RATE } from "../net/limits.ts";
import { labelBelow } from "../net/place.ts";
import { RateLimiter } from "../net/rate.ts";
import type { RunsPort } from "../operator/ports.ts";
import type { Sessions } from "../operator/sessions.ts";
import { json, refuse } from "./answer.ts";
import { gate } from "./gate.ts";
import { refuseMethod } from "./methods.ts";
import { operatorRoutes, type Route } from "./operator-routes.ts";
import { type PageOptions, pageRoutes } from "./pages.ts";

/** Milliseconds that the list of runs is kept: to make it, every run counts who is at work. */
const SHOWN_FOR_MS = 1_000;

export interface LobbyOptions extends PageOptions {
  readonly log: Logger;
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Below which each run has a host name of its own. */
  readonly domain?: string | undefined;
  readonly lobby: () => Lobby;
  /** Answers the operator of all runs, whose sessions are good for each. */
  readonly operator: RunsPort;
  readonly sessions: Sessions;
}

/** What a server of several runs answers beside them: the list of runs, and the pages over it. */
export function createLobby(options: LobbyOptions): Hono<Edge> {
  const { log, domain, proxies, now, lobby } = options;
  const app = new Hono<Edge>();
  app.onError((error, c) => refuse(c, error, log));
  app.notFound((c) => refuse(c, nothing(), log));
  app.use("*", gate);
  app.get(ROUTES.health, (c) => json(c, { status: "ok" }));
  app.use("*", (c, next) => {
    refuseUnknownHost(c, domain, proxies);
    return next();
  });
  const shown = new KeptAnswer<Lobby>(SHOWN_FOR_MS);
  app.get(ROUTES.ready, (c) => json(c, { status: "ok", runs: shown.get(now(), lobby).runs.length }));
  const addresses = new RateLimiter(READ_RATE, MAX_RATE_ENTRIES, now);
  app.get(LOBBY_ROUTES.runs, (c) => {
    addresses.take(addressOf(c, proxies));
    return json(c, shown.get(now(), lobby));
  });
  operatorRoutes(app, options.operator, routesOf(options.operator), options);
  app.all("/r/*", () => {
    throw new ProtocolError("not-found", "there is no run of this name");
  });
  app.all("/api/*", (c) => {
    refuseMethod(app, c);
    throw nothing();
  });
  pageRoutes(app, options, "lobby");
  return app;
}

const routesOf = (operator: RunsPort): readonly Route[] => [
  {
    method: "GET",
    path: LOBBY_ROUTES.operatorRuns,
    handle: async (c, { name }) => json(c, { ...operator.list(), operator: name }),
  },
  {
    method: "POST",
    path: LOBBY_ROUTES.operatorRuns,
    async handle(c, session, body) {
      await operator.act(parseRunsAction(body), session);
      return json(c, {});
    },
  },
];

/** A name below the domain that is no run's must not show the list of all. */
function refuseUnknownHost(c: Context<Edge>, domain: string | undefined, proxies: number): void {
  if (domain === undefined || labelBelow(domain, (name) => c.req.header(name), proxies) === undefined) return;
  throw new ProtocolError("not-found", "there is no run of this name");
}

const nothing = () => new ProtocolError("not-found", "there is nothing here");
