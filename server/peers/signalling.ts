import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { ProtocolError } from "../../protocol/errors.ts";
import { SIGNALLING_PATH } from "../../protocol/routes.ts";
import type { Log } from "../lib/log.ts";
import { addressIn } from "../net/address.ts";
import { refuseSocket } from "../net/bare-socket.ts";
import type { Upgrades } from "../net/listen.ts";
import { requireOwnOrigin } from "../net/own-page.ts";
import { RateLimiter } from "../net/rate.ts";
import type { Introductions } from "./introductions.ts";
import { parseSignal, type Signal } from "./signals.ts";

/** Bytes of one message: a session description and its wrapping. */
const MAX_MESSAGE = 8 * 1024;
/** Messages of one socket: an introduction's seven offers and their candidates at once, then a few a second. */
const MESSAGE_RATE = { burst: 200, perSecond: 5 };
/** Sockets that one address may open: a class that joins together, then one a second. */
const OPEN_RATE = { burst: 60, perSecond: 1 };
/** Sockets open at once, from one address and in all. */
const MAX_OF_ADDRESS = 64;
const MAX_SOCKETS = 4_096;
/** Bytes that wait for a browser that does not read: every signal that the 64 it was introduced to may send at once. */
const MAX_UNREAD = 256 * 1024;
/** Milliseconds after which a silent browser is gone; it says something every 5 s. */
const SILENCE_MS = 30_000;
/** Looks for the silent in that time. */
const LOOKS = 6;

export interface SignallingOptions {
  readonly introductions: Pick<Introductions, "knows" | "haveMet">;
  /** A proxy names the address in X-Forwarded-For. */
  readonly proxies: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly log: Log;
}

/**
 * Passes on what browsers' data channels need to find each other, as PeerJS' clients expect it of a PeerServer (rule
 * K6): only browsers that were introduced reach each other, only with what it takes to open a channel, and only so
 * often.
 */
export class Signalling implements Upgrades {
  readonly #options: SignallingOptions;
  readonly #silenceMs: number;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
  });
  readonly #lines = new Map<string, Line>();
  readonly #addresses = new Map<string, number>();
  readonly #opening: RateLimiter;
  readonly #looking: ReturnType<typeof setInterval>;

  constructor(options: SignallingOptions, silenceMs = SILENCE_MS) {
    this.#options = options;
    this.#silenceMs = silenceMs;
    this.#opening = new RateLimiter(OPEN_RATE, MAX_SOCKETS, options.now);
    this.#looking = setInterval(() => this.#look(), silenceMs / LOOKS).unref();
  }

  /** Sockets open now. */
  get size(): number {
    return this.#lines.size;
  }

  takes(path: string): boolean {
    return path === SIGNALLING_PATH;
  }

  /** Opens a WebSocket, or refuses it on the bare socket. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = addressIn(request, this.#options.proxies);
    const id = this.#admit(request, address);
    if (typeof id === "number") {
      refuseSocket(socket, new ProtocolError("bad-request", REFUSALS[id]), id);
      return;
    }
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1);
    this.#sockets.handleUpgrade(request, socket, head, (open) => {
      const line = new Line(open, id, this.#options, (signal) => this.#passOn(id, signal));
      this.#lines.get(id)?.close(); // a browser that comes back before its old socket is known to be dead
      this.#lines.set(id, line);
      line.send({ type: "OPEN" });
    });
    socket.once("close", () => {
      const left = (this.#addresses.get(address) ?? 1) - 1;
      if (left > 0) this.#addresses.set(address, left);
      else this.#addresses.delete(address);
      const line = this.#lines.get(id);
      if (line?.closed) this.#lines.delete(id);
    });
  }

  /** Closes every socket; browsers come back after a while, with jitter. */
  drop(): void {
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }

  close(): void {
    clearInterval(this.#looking);
    this.drop();
    this.#sockets.close();
  }

  /** The id that may come in, or the HTTP status that says why it may not. */
  #admit(request: IncomingMessage, address: string): string | keyof typeof REFUSALS {
    // Unlike URL's constructor, this throws for no target.
    const searchParams = new URLSearchParams((request.url ?? "").split("?").slice(1).join("?"));
    try {
      // Other sites' pages have no business here, though they would need an introduction too.
      requireOwnOrigin((name) => request.headers[name]?.toString(), this.#options.proxies);
    } catch {
      return 403;
    }
    try {
      this.#opening.take(address);
    } catch {
      return 429;
    }
    if ((this.#addresses.get(address) ?? 0) >= MAX_OF_ADDRESS || this.#lines.size >= MAX_SOCKETS) return 429;
    const id = searchParams.get("id") ?? "";
    return this.#options.introductions.knows(id, searchParams.get("token") ?? "") ? id : 403;
  }

  /** Only to a peer that it was introduced to and that is here; any other cannot answer, and the caller gives up in time. */
  #passOn(src: string, signal: Addressed): void {
    if (this.#options.introductions.haveMet(src, signal.dst))
      this.#lines.get(signal.dst)?.send({ ...signal, src });
  }

  #look(): void {
    const now = this.#options.now();
    for (const [id, line] of this.#lines) {
      if (now - line.heardAt >= this.#silenceMs) line.close();
      if (line.closed) this.#lines.delete(id);
    }
  }
}

const REFUSALS = {
  403: "only a page of this server that has announced itself comes in here",
  429: "too many sockets, or too many at once",
} as const;

/** A signal that is for another browser. */
type Addressed = Exclude<Signal, { readonly type: "HEARTBEAT" }>;

/** One browser's socket: nothing comes through but what {@link parseSignal} wrote. */
class Line {
  readonly #socket: WebSocket;
  closed = false;
  heardAt: number;

  constructor(
    socket: WebSocket,
    id: string,
    { now, log }: SignallingOptions,
    passOn: (signal: Addressed) => void,
  ) {
    this.#socket = socket;
    this.heardAt = now();
    const rate = new RateLimiter(MESSAGE_RATE, 1, now);
    socket.on("message", (data, binary) => {
      this.heardAt = now();
      try {
        rate.take(id);
        const signal = parseSignal(new Uint8Array(binary || !(data instanceof Buffer) ? [] : data));
        if (signal.type !== "HEARTBEAT") passOn(signal);
      } catch (error) {
        const why = error instanceof ProtocolError ? error.code : "internal-error";
        log.info({ why }, "a browser signalled what it may not");
        this.close();
      }
    });
    socket.on("close", () => this.close());
    socket.on("error", () => this.close());
  }

  /** A browser that does not read is dropped: it comes back, and is introduced again. */
  send(message: object): void {
    if (this.closed) return;
    this.#socket.send(JSON.stringify(message));
    if (this.#socket.bufferedAmount > MAX_UNREAD) this.close();
  }

  /** At once: the same browser may come in again before its old socket says that it is closed. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.terminate();
  }
}
