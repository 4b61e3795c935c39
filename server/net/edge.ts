import type { HttpBindings } from "@hono/node-server";
import type { PassedRequest } from "../lib/passing.ts";

/**
 * Hono's environment: Node's request and response where there is a socket, nothing under `app.request()`; of a request that
 * another server of the run passed on, what that one saw.
 */
export interface Edge {
  Bindings: Partial<HttpBindings> & {
    passed?: Pick<PassedRequest, "target" | "address" | "encrypted"> & {
      /** Aborts once its sender has hung up there. */
      readonly left: AbortSignal;
    };
  };
}
