import { ProtocolError } from "../../protocol/errors.ts";
import { forgetOldest } from "../lib/oldest.ts";
import type { Rate } from "./limits.ts";

/**
 * Token buckets by name (a volunteer's key, an address), in bounded memory: a Map keeps insertion order, so
 * re-inserting on use makes its first entry the least recently seen, which goes when there is no room.
 */
export class RateLimiter {
  readonly #rate: Rate;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** `now` is monotonic, in milliseconds. */
  constructor(rate: Rate, capacity: number, now: () => number) {
    this.#rate = rate;
    this.#capacity = capacity;
    this.#now = now;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes this many tokens of one who was let through already, for what that turned out to cost. */
  charge(name: string, cost: number): void {
    const bucket = this.#buckets.get(name);
    if (bucket !== undefined) bucket.tokens -= cost;
  }

  /** Takes one token. Throws `too-many-requests` with the time until the next one is there. */
  take(name: string): void {
    const { burst, perSecond } = this.#rate;
    const now = this.#now();
    const bucket = this.#buckets.get(name);
    const tokens = bucket ? Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond) : burst;
    const allowed = tokens >= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: allowed ? tokens - 1 : tokens, at: now });
    forgetOldest(this.#buckets, this.#capacity);
    if (!allowed) {
      const wait = Math.ceil(((1 - tokens) / perSecond) * 1_000);
      throw new ProtocolError(
        "too-many-requests",
        "more requests than this server takes from one sender",
        wait,
      );
    }
  }
}
