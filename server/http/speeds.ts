import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/guards.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { parseSpeeds, type Speed, type SpeedTable } from "../../protocol/speeds.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { ALL_SPEEDS_RATE, MAX_RATE_ENTRIES, MAX_SPEEDS_BODIES, SPEEDS_RATE } from "../net/limits.ts";
import { prefixOf } from "../net/network.ts";
import { RateLimiter } from "../net/rate.ts";
import { json } from "./answer.ts";
import { limitUploads } from "./upload-limiter.ts";

/** Where visitors' measurements are kept. */
export interface SpeedsPort {
  readonly taken: boolean;
  add(speeds: readonly Speed[]): void;
  table(): SpeedTable;
}

export interface SpeedsOptions {
  /** Absent: this server shows none and takes none. */
  readonly speeds?: SpeedsPort | undefined;
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Takes what a visitor measured on /bench and agreed to send, from anyone, unsigned (rule M5). An address is needed to count
 * how often a network sends, and forgotten with that.
 */
export function speedRoutes(app: Hono<Edge>, { speeds, proxies, now }: SpeedsOptions): void {
  if (speeds === undefined) return;
  const networks = new RateLimiter(SPEEDS_RATE, MAX_RATE_ENTRIES, now);
  const all = new RateLimiter(ALL_SPEEDS_RATE, 1, now);
  const bodies = limitUploads(MAX_SPEEDS_BODIES, MAX_SPEEDS_BODIES * MAX_JSON_BYTES);
  app.get(ROUTES.speeds, (c) => json(c, speeds.table()));
  app.post(ROUTES.speeds, async (c) => {
    // No form of another site can send JSON, and its scripts may not: a visitor's consent was asked by our page.
    if (!/^application\/json\b/i.test(c.req.header("content-type") ?? ""))
      throw new ProtocolError("unknown-type", "measurements come as application/json");
    if (!speeds.taken) throw new ProtocolError("not-found", "this run's operator takes no measurements");
    const address = addressOf(c, proxies);
    const network = prefixOf(address);
    networks.take(network ?? address);
    const read = async (body: Uint8Array) => parseSpeeds(parseJson(body));
    const sent = await bodies.read(c.req.raw, MAX_JSON_BYTES, read, network);
    all.take("all");
    speeds.add(sent);
    return json(c, {});
  });
}
