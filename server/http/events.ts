import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import type { RunEvent } from "../../protocol/events.ts";
import { ROUTES } from "../../protocol/routes.ts";
import type { Edge } from "../net/edge.ts";
import { NO_STORE } from "../net/headers.ts";
import { BUSY_RETRY_MS, EVENT_KEEPALIVE_MS, EVENT_QUEUE_BYTES, MAX_EVENT_STREAMS } from "../net/limits.ts";
import type { RunService } from "../run/service.ts";

export interface EventOptions {
  /** Ends the event streams, so that the server can close. */
  readonly closing: AbortSignal;
  /** Hears how many listen, whenever that changes. */
  readonly listening?: (listeners: number) => void;
}

/**
 * `GET /api/events` (rule E1): each event is encoded once and queued for every listener. A listener whose
 * queue is full does not read, and is dropped: it comes back, and `hello` has the state.
 */
export function eventRoutes(
  app: Hono<Edge>,
  service: RunService,
  { closing, listening = () => {} }: EventOptions,
): void {
  const listeners = new Set<Listener>();
  const toAll = (text: string) => {
    const bytes = new TextEncoder().encode(text);
    for (const listener of listeners) listener.send(bytes);
  };
  const unsubscribe = service.subscribe((event) => toAll(encode(event)));
  const keepalive = setInterval(() => toAll(": alive\n\n"), EVENT_KEEPALIVE_MS).unref();
  closing.addEventListener("abort", () => {
    unsubscribe();
    clearInterval(keepalive);
    for (const listener of listeners) listener.end();
  });

  app.get(ROUTES.events, (c) => {
    if (listeners.size >= MAX_EVENT_STREAMS || closing.aborted) {
      throw new ProtocolError("too-many-requests", "too many listeners: poll instead", 15 * BUSY_RETRY_MS);
    }
    if (c.req.method === "HEAD") return c.body(null, 200, HEADERS); // a stream would be opened for nobody
    const listener = new Listener(
      () => {
        listeners.delete(listener);
        listening(listeners.size);
      },
      () => c.env?.outgoing?.destroy(),
    );
    listeners.add(listener);
    listening(listeners.size);
    const { version, hash, state } = service.manifest();
    listener.send(new TextEncoder().encode(encode({ type: "hello", version, hash, state })));
    return c.body(listener.stream, 200, HEADERS);
  });
}

const encode = (event: RunEvent): string => `data: ${JSON.stringify(event)}\n\n`;

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": NO_STORE,
  "x-accel-buffering": "no", // nginx would hold events back until its buffer is full
};

/** One open stream with a queue of at most EVENT_QUEUE_BYTES. */
class Listener {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #gone: () => void;
  readonly #hangUp: () => void;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;

  /** `gone` is called once, when the stream ends for any reason; `hangUp` closes the socket. */
  constructor(gone: () => void, hangUp: () => void) {
    this.#gone = gone;
    this.#hangUp = hangUp;
    this.stream = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.#leave(),
      },
      { highWaterMark: EVENT_QUEUE_BYTES, size: (bytes) => bytes.length },
    );
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if ((controller.desiredSize ?? 0) < bytes.length) {
      this.end();
      this.#hangUp(); // what is queued would otherwise wait for a reader that does not read
      return;
    }
    controller.enqueue(bytes);
  }

  /** Ends the stream after what is queued. */
  end(): void {
    this.#controller?.close();
    this.#leave();
  }

  #leave(): void {
    if (this.#controller === undefined) return;
    this.#controller = undefined;
    this.#gone();
  }
}
