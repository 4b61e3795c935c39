import { messageOf } from "../../model/lib/message-of.ts";
import { isErrorCode, ProtocolError } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import { asInteger, asObject, parseJson } from "../../protocol/guards.ts";
import { intermediaryIn, intermediaryOf, intermediaryWith } from "../../protocol/intermediary.ts";
import { MAX_RETRY_AFTER_MS } from "../../protocol/limits.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { Call } from "./api.ts";
import { ServerAway, WrongBytes } from "./away.ts";
import { readBody, Watchdog } from "./body.ts";
import { readEvents } from "./events.ts";

/** Bytes of any JSON answer: a ticket with 1,000 learning rates is about 22 KiB. */
export const MAX_JSON_ANSWER = 64 * 1024;
/** Milliseconds that a server may be silent in the middle of an answer. */
const STALL_MS = 30_000;
/** Characters of a refusal's message that are kept. */
const MAX_MESSAGE = 500;

export interface HttpOptions {
  /** The server's address (protocol/address.ts), e.g. `https://host.example/train`. */
  readonly server: string;
  /** The origin of the page that frames this volunteer, if one does. */
  readonly site?: string;
  readonly fetch?: typeof fetch;
  /** Hears the bytes of bodies, as they come and go. */
  readonly traffic?: (down: number, up: number) => void;
}

export interface Request {
  readonly path: string;
  /** The Range header. */
  readonly range?: string;
  /** The Accept header of a stream, which no cache may answer. */
  readonly accept?: string;
  /** The answer's largest size in bytes. */
  readonly limit: number;
  /** The longest silence, where it is not the usual one. */
  readonly stall?: number;
  /** Hears the answer's headers, whatever its status. */
  readonly heard?: (headers: Headers) => void;
  readonly post?: { readonly body: Uint8Array<ArrayBuffer>; readonly headers: Record<string, string> };
}

/** One request, its answer read within its limit; throws as the trainer's Api says. */
export async function request(
  options: HttpOptions,
  what: Request,
  call: Call,
): Promise<Uint8Array<ArrayBuffer>> {
  const watchdog = new Watchdog(call.signal, what.stall ?? STALL_MS);
  try {
    const response = await send(options, what, watchdog);
    const total = Number(response.headers.get("content-length") ?? 0);
    return await readBody(
      response,
      what.limit,
      counted(options, watchdog, (bytes) => call.progress?.(bytes, Math.max(bytes, total))),
    );
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof ServerAway || error instanceof WrongBytes)
      throw error;
    call.signal?.throwIfAborted();
    const reason = messageOf(error);
    throw new ServerAway(`${what.path}: ${reason}`, intermediaryIn(error));
  } finally {
    watchdog.done();
  }
}

/** The event stream; its server is away when not even a comment has come for a while. */
export async function* events(
  options: HttpOptions,
  call: Call = {},
): AsyncGenerator<RunEvent, void, undefined> {
  const watchdog = new Watchdog(call.signal, STALL_MS);
  try {
    const { body } = await send(options, { path: ROUTES.events, accept: "text/event-stream" }, watchdog);
    if (body === null) return;
    yield* readEvents(body, (bytes) => {
      watchdog.touch();
      options.traffic?.(bytes, 0);
    });
  } finally {
    watchdog.done();
  }
}

/**
 * Sends a request. Resolves to the response of our server, in our protocol, its body yet to be read; throws the
 * refusal where that is what it answered.
 */
async function send(
  options: HttpOptions,
  { path, post, range, accept, heard }: Omit<Request, "limit">,
  watchdog: Watchdog,
): Promise<Response> {
  const { server, traffic, fetch = globalThis.fetch } = options;
  const response = await fetch(server + path, {
    method: post ? "POST" : "GET",
    headers: {
      ...post?.headers,
      ...(range !== undefined && { range }),
      ...(accept !== undefined && { accept }),
      [PROTOCOL_HEADER]: String(PROTOCOL_VERSION),
    },
    ...(post && { body: post.body }),
    ...(accept !== undefined && { cache: "no-store" as const }),
    redirect: "manual",
    signal: watchdog.signal,
  });
  await requireServer(response);
  heard?.(response.headers);
  if (post) traffic?.(0, post.body.length);
  if (response.ok) {
    requireProtocol(response);
    return response;
  }
  // However long the page is that a proxy sends with its refusal, the status says it all.
  const refusal = await readBody(response, MAX_JSON_ANSWER, counted(options, watchdog)).catch(unlessTooLong);
  requireProtocol(response);
  throw refusalOf(response.status, refusal);
}

/** Hears a body come: keeps the watchdog quiet, counts traffic, and passes on how much is there. */
function counted({ traffic }: HttpOptions, watchdog: Watchdog, progress?: (bytes: number) => void) {
  let before = 0;
  return (bytes: number) => {
    watchdog.touch();
    traffic?.(bytes - before, 0);
    before = bytes;
    progress?.(bytes);
  };
}

/** Throws {@link ServerAway} where something between us and the server has answered in its place. */
async function requireServer(response: Response): Promise<void> {
  const other = intermediaryOf(response);
  if (other === undefined) return;
  await response.body?.cancel();
  throw new ServerAway(`not the server's answer: ${other.kind} ${other.status ?? ""}`.trim(), other);
}

/** A server of another protocol version says so in its header, whatever else it answers. */
function requireProtocol(response: Response): void {
  const spoken = response.headers.get(PROTOCOL_HEADER);
  if (spoken !== null && spoken !== String(PROTOCOL_VERSION)) {
    throw new ProtocolError("protocol-mismatch", `the server speaks protocol ${spoken.slice(0, 20)}`);
  }
}

function unlessTooLong(error: unknown): Uint8Array<ArrayBuffer> {
  if (error instanceof WrongBytes) return new Uint8Array();
  throw error;
}

/** The refusal a body holds, or {@link ServerAway} where something between us and the server wrote it. */
function refusalOf(status: number, body: Uint8Array): ProtocolError | ServerAway {
  try {
    const { code, message, retryAfterMs } = asObject(parseJson(body).error, "error");
    if (isErrorCode(code)) {
      const wait =
        retryAfterMs === undefined
          ? undefined
          : asInteger(retryAfterMs, "retryAfterMs", 0, MAX_RETRY_AFTER_MS);
      return new ProtocolError(code, String(message).slice(0, MAX_MESSAGE), wait);
    }
  } catch {
    // Not our server's words: falls through to the answer below.
  }
  return new ServerAway(`HTTP ${status}`, intermediaryWith(status));
}

/** Our server sends well-formed JSON: anything else is not it, except another protocol version. */
export function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError && error.code !== "protocol-mismatch")
      throw new WrongBytes(error.message);
    throw error;
  }
}
