import { createHash, timingSafeEqual } from "node:crypto";
import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { addressOf } from "./address.ts";
import type { Edge, EdgeOptions } from "./edge.ts";
import { NO_STORE } from "./headers.ts";

const TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * `GET /metrics`: to this machine, and to who knows the token; for anybody else there is no such page. It names
 * no client, but memory and delays are nobody else's business.
 */
export function metricsRoute(app: Hono<Edge>, { metrics, proxies }: EdgeOptions): void {
  if (metrics === undefined) return;
  app.get("/metrics", async (c) => {
    const here = isLoopback(addressOf(c, proxies));
    if (!here && !knows(c.req.header("authorization"), metrics.token)) {
      throw new ProtocolError("not-found", "there is nothing here");
    }
    return c.body(await metrics.text(), 200, { "content-type": TYPE, "cache-control": NO_STORE });
  });
}

const isLoopback = (address: string): boolean => /^(?:(?:::ffff:)?127(?:\.\d+){3}|::1)$/.test(address);

function knows(header: string | undefined, token: string | undefined): boolean {
  if (header === undefined || token === undefined) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(header), digest(`Bearer ${token}`));
}
