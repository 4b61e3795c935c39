import type { HttpBindings } from "@hono/node-server";

/** Hono's environment: Node's request and response where there is a socket, nothing under `app.request()`. */
export interface Edge {
  Bindings: Partial<HttpBindings>;
}
