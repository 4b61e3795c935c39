import { createHash, timingSafeEqual } from "node:crypto";
import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { clientHosts } from "../net/forwarded.ts";
import { NO_STORE } from "../net/headers.ts";
import { isLoopback, isLoopbackHost } from "../net/network.ts";
import { whole } from "./answer.ts";

const TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface MetricsOptions {
  /** Proxies that stand in front and whose word on the client is believed (net/forwarded.ts); 0: none. */
  readonly proxies: number;
  /** The text of `/metrics`, and what an asker from another machine must send as a bearer token. */
  readonly metrics?: { readonly text: () => Promise<string>; readonly token: string | undefined };
}

/**
 * `GET /metrics`: to this machine, and to whoever knows the token; for anybody else there is no such page. It names
 * no client, but memory and delays are nobody else's business. A request from this machine must also have been sent to
 * a name of this machine: a page of another site, whose name its owner lets lead here, is run by a browser of this
 * machine and may read what it is sent (DNS rebinding).
 */
export function metricsRoute(app: Hono<Edge>, { metrics, proxies }: MetricsOptions): void {
  if (metrics === undefined) return;
  app.get("/metrics", async (c) => {
    const hosts = clientHosts((name) => c.req.header(name), proxies);
    const here = isLoopback(addressOf(c, proxies)) && hosts.every(isLoopbackHost);
    if (!here && !knows(c.req.header("authorization"), metrics.token)) {
      throw new ProtocolError("not-found", "there is nothing here");
    }
    return whole(c, await metrics.text(), 200, { "content-type": TYPE, "cache-control": NO_STORE });
  });
}

function knows(header: string | undefined, token: string | undefined): boolean {
  if (header === undefined || token === undefined) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header), digest(`Bearer ${token}`));
}
