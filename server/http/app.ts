import { Hono } from "hono";
import type { Logger } from "pino";
import { ProtocolError } from "../../protocol/errors.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { Edge } from "../net/edge.ts";
import type { OperatorPort } from "../operator/ports.ts";
import type { RunService } from "../run/service.ts";
import type { SetupPort, TextPort } from "../setup/ports.ts";
import { json, refuse } from "./answer.ts";
import { type BadgeOptions, badgeRoute } from "./badge.ts";
import { type CompletionsPort, completionRoutes } from "./completions.ts";
import { type EventOptions, eventRoutes } from "./events.ts";
import { gate } from "./gate.ts";
import { refuseMethod } from "./methods.ts";
import { type MetricsOptions, metricsRoute } from "./metrics.ts";
import { type OperatorRouteOptions, operatorRoutes, routesOf } from "./operator-routes.ts";
import { type PageOptions, pageRoutes } from "./pages.ts";
import { type PassOptions, passOn } from "./pass-on.ts";
import { type PersonOptions, personRoutes } from "./person.ts";
import { type ReadOptions, readRoutes } from "./read.ts";
import { setupRoutesOf, textRoutesOf } from "./setup-routes.ts";
import { type SpeedsOptions, speedRoutes } from "./speeds.ts";
import { type WorkOptions, workRoutes } from "./work.ts";

/** The routes' dependencies beside the run. */
export interface AppOptions
  extends ReadOptions,
    WorkOptions,
    PageOptions,
    BadgeOptions,
    PersonOptions,
    MetricsOptions,
    SpeedsOptions,
    EventOptions,
    OperatorRouteOptions {
  readonly log: Logger;
  /** Answers a signed-in operator; without it there are no operator routes. */
  readonly operator?: OperatorPort;
  /** On a cluster: what this server is to the run. */
  readonly role?: "leader" | "edge";
  /** Of an edge: who answers what it does not. */
  readonly passing?: PassOptions;
  /** Writes for whoever asks, where the operator lets it. */
  readonly completions?: CompletionsPort;
  /** Adds text to the run for a signed-in operator. */
  readonly text?: TextPort;
  /** Makes a run for a signed-in operator, on a server that has none. */
  readonly setup?: SetupPort;
}

/**
 * Everything this server answers over HTTP. Without a service there is no run: pages say how to make one, and
 * the API says `no-run`.
 */
export function createApp(service: RunService | undefined, options: AppOptions): Hono<Edge> {
  const app = new Hono<Edge>();
  app.onError((error, c) => refuse(c, error, options.log));
  app.notFound((c) => refuse(c, new ProtocolError("not-found", "there is nothing here"), options.log));
  app.use("*", gate);
  app.get(ROUTES.health, (c) => json(c, { status: "ok" }));
  const { operator, setup, text, role, passing } = options;
  app.get(ROUTES.ready, (c) => {
    if (service === undefined) throw noRun();
    const wanted = c.req.query("role");
    if (role !== undefined && wanted !== undefined && wanted !== role)
      throw new ProtocolError("no-run", `this server is ${role === "edge" ? "an edge" : "the leader"}`);
    return json(c, { status: "ok", state: service.manifest().state, ...(role && { role }) });
  });
  if (passing !== undefined) passOn(app, passing, options.log);
  if (operator !== undefined) {
    const routes = [...routesOf(operator, options.proxies), ...(text ? textRoutesOf(text) : [])];
    operatorRoutes(app, operator, routes, options);
  } else if (setup !== undefined) operatorRoutes(app, setup, setupRoutesOf(setup), options);
  metricsRoute(app, options);
  if (service !== undefined) {
    const follows = passing !== undefined;
    workRoutes(app, service, { ...options, follows }); // first, since the manifest tells what to sign for
    readRoutes(app, service, options);
    personRoutes(app, service, options);
    badgeRoute(app, service, options);
    eventRoutes(app, service, options);
    speedRoutes(app, options);
    const { completions, proxies, now, log } = options;
    const name = () => service.manifest().name;
    if (completions !== undefined) completionRoutes(app, { completions, name, proxies, now, log });
  }
  app.all("/api/*", (c) => {
    refuseMethod(app, c);
    throw service === undefined ? noRun() : new ProtocolError("not-found", "there is nothing here");
  });
  const empty = setup === undefined ? "nothing" : "setup";
  pageRoutes(app, options, service === undefined ? empty : "run");
  return app;
}

const noRun = () => new ProtocolError("no-run", "this server has no run: its page says how to make one");
