import { randomBytes } from "node:crypto";
import type { Context, Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseJson } from "../../protocol/guards.ts";
import { WRITING_ROUTES } from "../../protocol/routes.ts";
import type { WritingOrder, Written } from "../evaluate/ports.ts";
import type { Log } from "../lib/log.ts";
import { retryAfter } from "../lib/retry-after.ts";
import { addressOf } from "../net/address.ts";
import type { Edge } from "../net/edge.ts";
import { NO_STORE } from "../net/headers.ts";
import {
  COMPLETION_RATE,
  MAX_COMPLETION_BODIES,
  MAX_COMPLETION_BYTES,
  MAX_RATE_ENTRIES,
} from "../net/limits.ts";
import { prefixOf } from "../net/network.ts";
import { RateLimiter } from "../net/rate.ts";
import { whole } from "./answer.ts";
import { CompletionRefused, type CompletionRequest, parseCompletion } from "./completion-request.ts";
import { methodOf } from "./gate.ts";
import { limitUploads } from "./upload-limiter.ts";

/** What the routes need of a run that writes for whoever asks. */
export interface CompletionsPort {
  readonly on: boolean;
  /** Ends early once `left` is aborted: nobody reads it any more. */
  write(
    order: WritingOrder,
    part: (text: string) => void,
    left: AbortSignal,
  ): Promise<Written & { readonly version: number }>;
}

export interface CompletionOptions {
  readonly completions: CompletionsPort;
  /** The model's name. */
  readonly name: () => string;
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: Pick<Log, "error">;
}

/**
 * The current version writes for whoever asks, in the form of OpenAI's completions (rules Q1 to Q4): off until an
 * operator turns it on, one text at a time.
 */
export function completionRoutes(app: Hono<Edge>, options: CompletionOptions): void {
  const { completions, name, proxies, now, log } = options;
  const rates = new RateLimiter(COMPLETION_RATE, MAX_RATE_ENTRIES, now);
  const bodies = limitUploads(MAX_COMPLETION_BODIES, MAX_COMPLETION_BODIES * MAX_COMPLETION_BYTES);
  const requireOn = () => {
    if (completions.on) return;
    const what = { status: 404, type: "invalid_request_error", code: "not_found" } as const;
    throw new CompletionRefused(what, "this server's operator lets nobody use the model here");
  };

  const complete = async (c: Context<Edge>): Promise<Response> => {
    requireOn();
    if (c.req.method !== "POST") throw otherMethod(c, "POST");
    // A form of another site cannot say that it is JSON.
    if (!/^application\/json\s*(?:;|$)/i.test(c.req.header("content-type") ?? "")) {
      throw new CompletionRefused({ status: 415, type: "invalid_request_error" }, "send application/json");
    }
    const address = addressOf(c, proxies);
    rates.take(address);
    const { order, stream } = await bodies.read(
      c.req.raw,
      MAX_COMPLETION_BYTES,
      async (bytes) => read(bytes),
      prefixOf(address),
    );
    const id = `cmpl-${randomBytes(12).toString("base64url")}`;
    const about = { id, object: "text_completion", created: Math.floor(Date.now() / 1_000), model: name() };
    if (stream) return streamed(c, order, about);
    let text = "";
    const written = await completions.write(
      order,
      (part) => {
        text += part;
      },
      c.req.raw.signal,
    );
    const choice = { text, index: 0, logprobs: null, finish_reason: written.ended };
    return answer(c, { ...about, choices: [choice], ...usageOf(written) });
  };

  const streamed = async (c: Context<Edge>, order: WritingOrder, about: object): Promise<Response> => {
    const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>(
      undefined,
      { highWaterMark: 1e9 },
      { highWaterMark: 1e9 },
    );
    const writer = writable.getWriter();
    const said = Promise.withResolvers<void>();
    // A reader that hangs up misses the rest; what is written until that is seen is bounded.
    const send = (data: string) =>
      void writer.write(new TextEncoder().encode(`data: ${data}\n\n`)).catch(() => {});
    const chunk = (text: string, ended: Written["ended"] | null, more: object = {}) =>
      send(
        JSON.stringify({
          ...about,
          choices: [{ text, index: 0, logprobs: null, finish_reason: ended }],
          ...more,
        }),
      );
    let begun = false;
    const done = completions.write(
      order,
      (part) => {
        begun = true;
        chunk(part, null);
        said.resolve();
      },
      c.req.raw.signal,
    );
    const ended = done
      .then((written) => chunk("", written.ended, usageOf(written)))
      .then(() => send("[DONE]"))
      .catch((error: unknown) => {
        if (!begun) throw error;
        send(JSON.stringify(bodyOf(explain(error, log))));
      })
      .finally(() => void writer.close().catch(() => {}));
    await Promise.race([said.promise, ended]); // a refusal before the first word is an answer of its own
    ended.catch(() => {}); // of one after it the stream has told
    return c.body(readable, 200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": NO_STORE,
      "x-accel-buffering": "no",
    });
  };

  const inTheirForm = (route: (c: Context<Edge>) => Promise<Response>) => (c: Context<Edge>) =>
    route(c).catch((error: unknown) => refuseText(c, error, log));

  app.all(WRITING_ROUTES.completions, inTheirForm(complete));
  app.all(
    WRITING_ROUTES.models,
    inTheirForm(async (c) => {
      requireOn();
      if (methodOf(c) !== "GET") throw otherMethod(c, "GET, HEAD");
      return answer(c, {
        object: "list",
        data: [{ id: name(), object: "model", created: 0, owned_by: "murmuration" }],
      });
    }),
  );
  app.all(
    "/v1/*",
    inTheirForm(async () => {
      const what = { status: 404, type: "invalid_request_error", code: "not_found" } as const;
      throw new CompletionRefused(what, `here are ${Object.values(WRITING_ROUTES).join(" and ")} alone`);
    }),
  );
}

function otherMethod(c: Context<Edge>, allowed: string): CompletionRefused {
  c.header("allow", allowed);
  return new CompletionRefused(
    { status: 405, type: "invalid_request_error" },
    `this address takes ${allowed}`,
  );
}

/** Refuses as OpenAI's server does (rule Q4). */
export function refuseText(c: Context<Edge>, error: unknown, log: Pick<Log, "error">): Response {
  const refusal = explain(error, log);
  if (refusal.retryAfterMs !== undefined) c.header("retry-after", retryAfter(refusal.retryAfterMs));
  if (c.env?.incoming?.complete === false) c.header("connection", "close");
  if (refusal.status === 405 && c.req.method === "OPTIONS") return c.body(null, 204);
  return answer(c, bodyOf(refusal), refusal.status);
}

function read(bytes: Uint8Array): CompletionRequest {
  let json: unknown;
  try {
    json = parseJson(bytes);
  } catch {
    throw new CompletionRefused(
      { status: 400, type: "invalid_request_error" },
      "the body is not a JSON object",
    );
  }
  return parseCompletion(json, () => randomBytes(4).readUInt32LE());
}

const usageOf = ({ promptTokens, tokens }: Written) => ({
  usage: { prompt_tokens: promptTokens, completion_tokens: tokens, total_tokens: promptTokens + tokens },
});

const answer = (
  c: Context<Edge>,
  value: unknown,
  status: 200 | CompletionRefused["status"] = 200,
): Response =>
  whole(c, JSON.stringify(value), status, {
    "content-type": "application/json; charset=utf-8",
    "cache-control": NO_STORE,
  });

const bodyOf = ({ message, type, param, code }: CompletionRefused) => ({
  error: { message, type, param, code },
});

/** Our own refusals in OpenAI's words; what was not expected is logged and not shown. */
function explain(error: unknown, log: Pick<Log, "error">): CompletionRefused {
  if (error instanceof CompletionRefused) return error;
  if (!(error instanceof ProtocolError)) {
    log.error({ err: error }, "a text could not be written");
    return new CompletionRefused({ status: 500, type: "server_error" }, "the model could not write this");
  }
  const { code, message, retryAfterMs } = error;
  if (code === "too-many-requests") {
    const what = {
      status: 429,
      type: "rate_limit_error",
      code: "rate_limit_exceeded",
      retryAfterMs,
    } as const;
    return new CompletionRefused(what, message);
  }
  if (code === "not-durable")
    return new CompletionRefused({ status: 503, type: "server_error", retryAfterMs }, message);
  if (code === "too-large")
    return new CompletionRefused({ status: 413, type: "invalid_request_error" }, message);
  if (code === "not-found") {
    return new CompletionRefused({ status: 404, type: "invalid_request_error", code: "not_found" }, message);
  }
  return new CompletionRefused({ status: 400, type: "invalid_request_error", code }, message);
}
