import { IncomingMessage } from "node:http";
import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { MAX_JSON_BYTES } from "../../protocol/limits.ts";
import { ROUTES, WRITING_ROUTES } from "../../protocol/routes.ts";
import type { Log } from "../lib/log.ts";
import type { LeaderLine, PassedAnswer, PassedRequest } from "../lib/passing.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import {
  ADDRESS_RATE,
  MAX_ASKING,
  MAX_COMPLETION_BYTES,
  MAX_OPERATOR_BYTES,
  MAX_RATE_ENTRIES,
  MAX_UPLOAD_MEMORY,
} from "../net/limits.ts";
import { prefixOf } from "../net/network.ts";
import { RateLimiter } from "../net/rate.ts";
import { refuseText } from "./completions.ts";
import { methodOf, targetOf } from "./gate.ts";
import { limitUploads } from "./upload-limiter.ts";

/** Milliseconds for which the leader's answer to one who only looks stands for others. */
const SHARED_MS = 1_000;
/** What an edge answers by itself: the bytes that volunteers fetch, what never changes, and what the journal says. */
const OWN =
  /^\/api\/(?:snapshots|shards|diffs|chunks|versions|proofs|volunteers|tokenizer\.json|events)(?:\/|$)/;
/** What it answers as well as it can where no server leads. */
const EITHER = new Set<string>([ROUTES.run, ROUTES.manifest, ROUTES.leaders]);
/** Headers of one connection, not of the request or answer that it carries (RFC 9110 §7.6.1). */
const OF_CONNECTION = new Set([
  "connection",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
  "te",
  "content-length",
]);

/** Where an edge's requests go. */
export interface PassOptions {
  readonly ask: LeaderLine["ask"];
  /** Resolves when this server knows of a version, or after a moment. */
  readonly reached: (version: number) => Promise<void>;
  /** Whether this server can take deltas by itself now. */
  readonly takesDeltas: () => boolean;
  /** Bytes of a request's body at most. */
  readonly maxBytes: number;
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/**
 * Passes on what only the server that leads can answer: whatever changes something, deltas excepted, and whatever it
 * alone knows.
 */
export function passOn(app: Hono<Edge>, options: PassOptions, log: Pick<Log, "error">): void {
  const { ask, reached, takesDeltas, maxBytes, proxies, now } = options;
  const limiter = limitUploads(MAX_ASKING, MAX_UPLOAD_MEMORY);
  const addresses = new RateLimiter(ADDRESS_RATE, MAX_RATE_ENTRIES, now);
  const shared = new Map<string, { readonly at: number; readonly answer: Promise<PassedAnswer> }>();

  const pass = async (c: Context<Edge>): Promise<PassedAnswer> => {
    addresses.take(addressOf(c, proxies));
    const { incoming } = c.env ?? {};
    const request = incoming instanceof IncomingMessage ? incoming : c.req.raw;
    const about = requestOf(c);
    // A visitor that hangs up here would keep the leader writing, or its place in a queue there.
    const left = c.req.raw.signal;
    if (methodOf(c) === "GET") return ask({ ...about, body: new Uint8Array() }, true, left);
    const limit = limitOf(c.req.path, maxBytes);
    const network = prefixOf(addressOf(c, proxies));
    return limiter.read(request, limit, (body) => ask({ ...about, body }, true, left), network);
  };
  const look = (c: Context<Edge>): Promise<PassedAnswer> => {
    const known = shared.get(c.req.path);
    if (known !== undefined && now() - known.at < SHARED_MS) return known.answer;
    // Without what one visitor says of itself: others get the same answer.
    const plain = { ...requestOf(c), method: "GET", target: c.req.path, headers: [], body: new Uint8Array() };
    const asked = ask(plain, false);
    const fresh = { at: now(), answer: Promise.race([asked, tooLate(asked)]) };
    shared.set(c.req.path, fresh);
    fresh.answer.catch(() => shared.delete(c.req.path));
    return fresh.answer;
  };
  app.use("/api/*", async (c, next) => {
    const isRead = methodOf(c) === "GET";
    if (isRead && OWN.test(c.req.path)) return next();
    if (c.req.path === ROUTES.deltas && methodOf(c) === "POST" && takesDeltas()) return next();
    const either = isRead && EITHER.has(c.req.path);
    try {
      const answer = either ? await look(c) : await pass(c);
      await reached(answer.version);
      return responseOf(answer, c.req.method === "HEAD");
    } catch (error) {
      if (either && error instanceof ProtocolError && error.code === "not-durable") return next();
      throw error;
    }
  });
  // The model that writes is the leader's. A text comes as a whole, also one that was asked for in a stream.
  for (const path of TEXTS) {
    app.all(path, async (c) => {
      try {
        return responseOf(await pass(c), c.req.method === "HEAD");
      } catch (error) {
        return refuseText(c, error, log);
      }
    });
  }
}

const TEXTS = new Set<string>(Object.values(WRITING_ROUTES));

/** Bytes of a request's body. */
function limitOf(path: string, maxUploadBytes: number): number {
  if (path === ROUTES.deltas) return maxUploadBytes;
  return TEXTS.has(path) ? MAX_COMPLETION_BYTES : Math.max(MAX_JSON_BYTES, MAX_OPERATOR_BYTES);
}

/** Rejects where an answer that others wait for does not come: the leader may be held, and not dead. */
function tooLate(asked: Promise<unknown>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = () =>
    reject(new ProtocolError("not-durable", "the server that leads does not answer", SHARED_MS));
  const timer = setTimeout(late, SHARED_MS);
  const stop = () => clearTimeout(timer);
  asked.then(stop, stop);
  promise.catch(() => {});
  return promise;
}

function requestOf(c: Context<Edge>): Omit<PassedRequest, "body"> {
  const socket = c.env?.incoming?.socket;
  return {
    method: c.req.method,
    target: targetOf(c),
    headers: [...c.req.raw.headers].filter(([name]) => !OF_CONNECTION.has(name)),
    address: socket?.remoteAddress ?? "",
    encrypted: socket !== undefined && "encrypted" in socket && socket.encrypted === true,
  };
}

function responseOf({ status, headers, body }: PassedAnswer, head: boolean): Response {
  const bodiless = head || status === 204 || status === 304;
  const response = new Response(bodiless ? null : body, { status });
  for (const [name, value] of headers) response.headers.append(name, value);
  if (!bodiless) response.headers.set("content-length", String(body.length));
  return response;
}

/**
 * Answers what another server passed on, as if it had come here. `version` is the run's after that; `left` aborts once its
 * sender has hung up there.
 */
export async function answerPassed(
  app: Pick<Hono<Edge>, "fetch">,
  request: PassedRequest,
  version: () => number,
  left: AbortSignal,
): Promise<PassedAnswer> {
  const { method, target, headers, body, address, encrypted } = request;
  const bodiless = method === "GET" || method === "HEAD";
  const passed = new Request(new URL(target, "http://passed.invalid"), {
    method,
    signal: left,
    headers: [...headers].map(([name, value]): [string, string] => [name, value]),
    ...(!bodiless && { body }),
  });
  const answer = await app.fetch(passed, { passed: { target, address, encrypted, left } });
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const kept = [...answer.headers].filter(([name]) => !OF_CONNECTION.has(name));
  return { status: answer.status, headers: kept, version: version(), body: bytes };
}
