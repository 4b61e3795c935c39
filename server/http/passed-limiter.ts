import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import type { PassedAnswer, PassedRequest } from "../lib/passing.ts";
import type { Edge } from "../net/edge.ts";
import {
  BUSY_RETRY_MS,
  EDGE_RATE,
  EDGE_SHARE,
  MAX_ASKING,
  MAX_OPERATOR_BYTES,
  MAX_PASSED_BYTES,
  MAX_RATE_ENTRIES,
} from "../net/limits.ts";
import { PerNetworkQuota } from "../net/per-network-quota.ts";
import { RateLimiter } from "../net/rate.ts";
import { answerPassed } from "./pass-on.ts";

export interface PassedLimiterOptions {
  /** The run's version now. */
  readonly version: () => number;
  /** Bytes of an upload at most. */
  readonly maxUploadBytes: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Answers what edges pass on to the server that leads. An edge has limits of its own, and may be broken or in somebody
 * else's hands all the same: what one of them asks for, and all of them together, is bounded here again.
 */
export class PassedLimiter {
  readonly #app: Pick<Hono<Edge>, "fetch">;
  readonly #options: PassedLimiterOptions;
  readonly #rates: RateLimiter;
  readonly #requests = new PerNetworkQuota(EDGE_SHARE * MAX_ASKING);
  readonly #bytes = new PerNetworkQuota(EDGE_SHARE * MAX_PASSED_BYTES);
  #asked = 0;
  #held = 0;

  constructor(app: Pick<Hono<Edge>, "fetch">, options: PassedLimiterOptions) {
    this.#app = app;
    this.#options = options;
    this.#rates = new RateLimiter(EDGE_RATE, MAX_RATE_ENTRIES, options.now);
  }

  /** Rejects with `too-many-requests` or `too-large`, and then no route has seen the request. */
  readonly answer = async (
    request: PassedRequest,
    sender: string,
    left: AbortSignal,
  ): Promise<PassedAnswer> => {
    const { version, maxUploadBytes } = this.#options;
    this.#rates.take(sender);
    const { length } = request.body;
    const most = Math.max(maxUploadBytes, MAX_JSON_BYTES, MAX_OPERATOR_BYTES);
    if (length > most) throw new ProtocolError("too-large", `the body may have ${most} bytes`);
    this.#hold(sender, length);
    try {
      return await answerPassed(this.#app, request, version, left);
    } finally {
      this.#asked -= 1;
      this.#held -= length;
      this.#requests.give(sender);
      this.#bytes.give(sender, length);
    }
  };

  #hold(sender: string, length: number): void {
    const full = this.#asked >= MAX_ASKING || this.#held + length > MAX_PASSED_BYTES;
    if (full || !this.#requests.take(sender)) throw busy();
    if (!this.#bytes.take(sender, length)) {
      this.#requests.give(sender);
      throw busy();
    }
    this.#asked += 1;
    this.#held += length;
  }
}

const busy = () =>
  new ProtocolError(
    "too-many-requests",
    "more requests at once than the leading server takes",
    BUSY_RETRY_MS,
  );
