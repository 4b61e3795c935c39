import { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { RunService } from "../run/service.ts";
import { json, refuse } from "./answer.ts";
import { badgeRoute } from "./badge.ts";
import type { Edge, EdgeOptions } from "./edge.ts";
import { eventRoutes } from "./events.ts";
import { gate } from "./gate.ts";
import { refuseMethod } from "./methods.ts";
import { metricsRoute } from "./metrics.ts";
import { foundingRoutesOf } from "./operator/founding.ts";
import { operatorRoutes, routesOf } from "./operator/routes.ts";
import { pageRoutes } from "./pages.ts";
import { readRoutes } from "./read.ts";
import { workRoutes } from "./work.ts";

/**
 * Everything this server answers over HTTP. Without a service there is no run: pages say how to make one, and
 * the API says `no-run`.
 */
export function createApp(service: RunService | undefined, options: EdgeOptions): Hono<Edge> {
  const app = new Hono<Edge>();
  app.onError((error, c) => refuse(c, error, options.log));
  app.notFound((c) => refuse(c, new ProtocolError("not-found", "there is nothing here"), options.log));
  app.use("*", gate);
  app.get(ROUTES.health, (c) => json(c, { status: "ok" }));
  app.get(ROUTES.ready, (c) => {
    if (service === undefined) throw noRun();
    return json(c, { status: "ok", state: service.manifest().state });
  });
  const { operator, founding } = options;
  if (operator !== undefined) operatorRoutes(app, operator, routesOf(operator), options);
  else if (founding !== undefined) operatorRoutes(app, founding, foundingRoutesOf(founding), options);
  metricsRoute(app, options);
  if (service !== undefined) {
    workRoutes(app, service, options); // first, since the manifest tells what to sign for
    readRoutes(app, service, options);
    badgeRoute(app, service, options);
    eventRoutes(app, service, options.closing);
  }
  app.all("/api/*", (c) => {
    refuseMethod(app, c);
    throw service === undefined ? noRun() : new ProtocolError("not-found", "there is nothing here");
  });
  pageRoutes(app, options, service !== undefined);
  return app;
}

const noRun = () => new ProtocolError("no-run", "this server has no run: its page says how to make one");
