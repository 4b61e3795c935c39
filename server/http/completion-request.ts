import type { WritingOrder } from "../evaluate/ports.ts";
import { MAX_COMPLETION_TOKENS, MAX_PROMPT_BYTES, MAX_STOP_CHARS, MAX_STOPS } from "../net/limits.ts";

/** A request that cannot be done, in the words of OpenAI's errors: `param` names the field. */
export class CompletionRefused extends Error {
  override readonly name = "CompletionRefused";
  readonly status: 400 | 404 | 405 | 413 | 415 | 429 | 500 | 503;
  readonly type: "invalid_request_error" | "rate_limit_error" | "server_error";
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterMs: number | undefined;

  constructor(
    {
      status,
      type,
      code = null,
      param = null,
      retryAfterMs,
    }: Pick<CompletionRefused, "status" | "type"> &
      Partial<Pick<CompletionRefused, "code" | "param" | "retryAfterMs">>,
    message: string,
  ) {
    super(message);
    this.status = status;
    this.type = type;
    this.code = code;
    this.param = param;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface CompletionRequest {
  readonly order: WritingOrder;
  readonly stream: boolean;
}

/** Tokens that are written where nothing is said, as OpenAI's server does. */
const DEFAULT_TOKENS = 16;
/** Likeliest tokens that are chosen among where nothing is said: a small model's rare ones are mostly mistakes. */
const DEFAULT_TOP_K = 40;
const MAX_TOP_K = 65_536;
const MAX_TEMPERATURE = 2;

/** Fields that say what is so anyway, by the values that may stand there. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  ...{ n: [1, null], best_of: [1, null], echo: [false, null], suffix: [null, ""], top_p: [1, null] },
  ...{ logprobs: [null], presence_penalty: [0, null], frequency_penalty: [0, null] },
};

/** Reads the body of a completion; `seed` is drawn where it names none. Throws {@link CompletionRefused}. */
export function parseCompletion(body: unknown, draw: () => number): CompletionRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw refused("body", "the body is a JSON object");
  }
  const fields: Readonly<Record<string, unknown>> = { ...body };
  for (const [name, values] of Object.entries(FIXED)) {
    if (fields[name] !== undefined && !values.includes(fields[name])) {
      throw refused(name, `${name} can only be ${JSON.stringify(values[0])} here`);
    }
  }
  return {
    order: {
      prompt: promptOf(fields.prompt),
      maxTokens: numberOf(fields.max_tokens, "max_tokens", DEFAULT_TOKENS, [1, MAX_COMPLETION_TOKENS], true),
      temperature: numberOf(fields.temperature, "temperature", 1, [0, MAX_TEMPERATURE]),
      topK: numberOf(fields.top_k, "top_k", DEFAULT_TOP_K, [1, MAX_TOP_K], true),
      seed: numberOf(fields.seed, "seed", draw(), [0, 0xffff_ffff], true),
      stop: stopsOf(fields.stop),
    },
    stream: streamOf(fields.stream),
  };
}

function promptOf(value: unknown): string {
  const [prompt, ...more]: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (typeof prompt !== "string" || more.length > 0) throw refused("prompt", "prompt is one text");
  if (prompt === "") throw refused("prompt", "prompt is empty: the model goes on from what it gets");
  if (Buffer.byteLength(prompt) > MAX_PROMPT_BYTES) {
    throw refused("prompt", `prompt may have ${MAX_PROMPT_BYTES} bytes (UTF-8)`);
  }
  return prompt.toWellFormed();
}

function numberOf(
  value: unknown,
  param: string,
  otherwise: number,
  [least, most]: readonly [number, number],
  isWhole = false,
): number {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "number" && value >= least && value <= most && (!isWhole || Number.isInteger(value))) {
    return value;
  }
  throw refused(param, `${param} is a ${isWhole ? "whole " : ""}number from ${least} to ${most}`);
}

function stopsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  const stops: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isStop = (one: unknown): one is string =>
    typeof one === "string" && one !== "" && one.length <= MAX_STOP_CHARS && one.isWellFormed();
  if (stops.length <= MAX_STOPS && stops.every(isStop)) return stops;
  throw refused("stop", `stop is a text, or up to ${MAX_STOPS}, of 1 to ${MAX_STOP_CHARS} characters`);
}

function streamOf(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  throw refused("stream", "stream is true or false");
}

const refused = (param: string, message: string): CompletionRefused =>
  new CompletionRefused({ status: 400, type: "invalid_request_error", param }, message);
