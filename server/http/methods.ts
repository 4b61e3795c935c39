import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Edge } from "../net/edge.ts";

/** Throws `method-not-allowed` where the path has a route of its own, but none for the request's method. */
export function refuseMethod(app: Hono<Edge>, c: Context<Edge>): void {
  const allowed = ["GET", "POST"].filter((method) =>
    // Handlers for all methods are middleware, or answer what no route does.
    app.router.match(method, c.req.path)[0].some(([[, route]]) => route.method === method),
  );
  if (allowed.length > 0) throw methodNotAllowed(c, allowed);
}

/** The refusal, whose Allow header names the methods that there are (RFC 9110 §15.5.6). */
export function methodNotAllowed(c: Context<Edge>, allowed: readonly string[]): ProtocolError {
  const names = allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  c.header("allow", names.join(", "));
  return new ProtocolError("method-not-allowed", `this address takes ${names.join(", ")}`);
}
