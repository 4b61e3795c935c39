import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Log } from "../lib/log.ts";
import { plainHeaders, refuseSocket } from "./bare-socket.ts";
import { leadToBase, takeBase, withoutBase } from "./base-path.ts";
import type { Edge } from "./edge.ts";
import {
  MAX_CONNECTIONS,
  MAX_HEADER_BYTES,
  MAX_PIPELINED,
  NETWORK_SHARE,
  WAITS,
  type Waits,
} from "./limits.ts";
import { PerNetworkQuota } from "./per-network-quota.ts";
import { SlowReaders } from "./slow-readers.ts";
import { normalizeTarget, pathOf } from "./target.ts";

/** One of several apps, and the path under which it is served, without a slash at its end. */
export interface Within {
  readonly app: Pick<Hono<Edge>, "fetch">;
  readonly base: string;
}

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The path under which a proxy passes requests on, e.g. `/train` (base-path.ts). */
  readonly basePath?: string;
  /** On a server of several runs: which of them a request is for; none: the app itself answers. */
  readonly within?: (request: IncomingMessage) => Within | undefined;
  /** PEM; with it the server speaks HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Of connections, one network may have a part; undefined for one that is behind a proxy, or has none. */
  readonly networkOf?: (socket: Socket) => string | undefined;
  /** Hears of every new connection. */
  readonly onSocket?: (socket: Socket) => void;
  readonly upgrades?: Upgrades;
  /** Is called with failures that no answer can report. */
  readonly log?: Log;
}

/** Requests for another protocol than HTTP, which leave HTTP's parser and its deadlines behind. */
export interface Upgrades {
  /** Whether this one is taken. Any other is answered as if it had not asked (RFC 9110 §7.8), and then hung up on. */
  takes(path: string, request: IncomingMessage): boolean;
  /** Takes the bare socket over, with its errors and its deadlines. If it throws, that socket alone is destroyed. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface Listening {
  readonly port: number;
  /** Takes no new connection, lets requests in flight end, and closes what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** Milliseconds between two searches for idle connections while the server closes. */
const IDLE_LOOK_MS = 50;

/** Serves an app on a socket, with every wait bounded (limits.ts). Rejects with the system's error. */
export async function listen(
  app: Pick<Hono<Edge>, "fetch">,
  options: ListenOptions,
  waits: Waits = WAITS,
  connections = MAX_CONNECTIONS,
): Promise<Listening> {
  const { networkOf, upgrades, log, basePath = "" } = options;
  const settings = {
    headersTimeout: waits.headersMs,
    requestTimeout: waits.requestMs,
    connectionsCheckingInterval: waits.checkMs,
    keepAliveTimeout: waits.keepAliveMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false, // Node's own refusal would be untyped: badTarget answers
    shouldUpgradeCallback: (request: IncomingMessage) =>
      upgrades?.takes(withoutBase(basePath, pathOf(request) ?? ""), request) ?? false,
  };
  const answering: Answering = new WeakMap();
  const handler = handlerOf(app, options, answering);
  const server: Server = options.tls
    ? createSecureServer({ ...settings, ...options.tls, handshakeTimeout: waits.headersMs }, handler)
    : createServer(settings, handler);
  server.maxConnections = connections;
  const shares = new PerNetworkQuota(NETWORK_SHARE * connections);
  const sockets = new Set<Socket>();
  server.setTimeout(waits.idleMs);
  server.on("clientError", (error, socket) => refuseMalformed(error, socket, answering));
  server.on("checkExpectation", (_, answer) => {
    answer.writeHead(417, { ...plainHeaders(), connection: "close", "content-type": JSON_TYPE });
    answer.end(JSON.stringify(new ProtocolError("bad-request", "nothing is known of this Expect").body()));
  });
  // CONNECT leaves HTTP's parser as an upgrade does. Without a listener Node hangs up without an answer.
  server.on("connect", (_, socket) =>
    refuseSocket(socket, new ProtocolError("bad-request", "this is no proxy")),
  );
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    if (networkOf !== undefined) admit(socket, networkOf(socket), shares);
    options.onSocket?.(socket);
  });
  const stopLooking = dropSlowReaders(server, options.tls !== undefined, waits);
  if (upgrades !== undefined) {
    server.on("upgrade", (request, socket, head) => {
      // A peer that resets is nobody's fault, and the parser that used to listen for it has let go of the socket.
      socket.on("error", () => socket.destroy());
      try {
        // Of two requests on one connection the second must not be answered before the first.
        if (answering.get(socket)?.size) socket.destroy();
        else if (!normalizeTarget(request)) refuseSocket(socket, malformed());
        else {
          takeBase(basePath, request);
          upgrades.take(request, socket, head);
        }
      } catch (error) {
        log?.error({ err: error }, "an upgrade failed");
        socket.destroy();
      }
    });
  }
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      // Accepting one connection may fail later (no descriptors, no memory): the others go on.
      server.on("error", (error) => log?.error({ err: error }, "a connection could not be accepted"));
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens has one
    close: (graceMs) => close(server, sockets, graceMs).finally(stopLooking),
  };
}

/** The answers that are not finished, by connection: several where requests were pipelined. */
type Answering = WeakMap<Duplex, Set<ServerResponse>>;

/** Answers requests by the app. Nothing that goes wrong here leaves the connection it went wrong on. */
function handlerOf(
  app: Pick<Hono<Edge>, "fetch">,
  { basePath = "", within, log }: ListenOptions,
  answering: Answering,
) {
  const chosen = new WeakMap<IncomingMessage, Pick<Hono<Edge>, "fetch">>();
  const chosenFetch: typeof app.fetch = (request, env, ...rest) => {
    const incoming = env !== undefined && "incoming" in env ? env.incoming : undefined;
    const one = incoming && chosen.get(incoming);
    return (one ?? app).fetch(request, env, ...rest);
  };
  // The name stands in for the Host header that HTTP/1.0 may leave out.
  const answer = getRequestListener(chosenFetch, { errorHandler: badTarget, hostname: "localhost" });
  return (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { socket } = incoming;
    const answers = answering.get(socket) ?? new Set();
    answering.set(socket, answers.add(outgoing));
    outgoing.once("close", () => answers.delete(outgoing));
    outgoing.on("error", () => socket.destroy());
    if (answers.size > MAX_PIPELINED) {
      socket.destroy();
      return;
    }
    // Bytes after a request to change protocols may be lost, so nothing may follow it on the same connection.
    if (incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false;
    if (!normalizeTarget(incoming)) {
      outgoing.writeHead(400, { ...plainHeaders(), connection: "close", "content-type": JSON_TYPE });
      outgoing.end(JSON.stringify(malformed().body()));
      return;
    }
    if (leadToBase(basePath, incoming, outgoing)) return;
    takeBase(basePath, incoming);
    const one = within?.(incoming);
    if (one !== undefined) {
      if (leadToBase(one.base, incoming, outgoing)) return;
      takeBase(one.base, incoming);
      chosen.set(incoming, one.app);
    }
    answer(incoming, outgoing).catch((error: unknown) => {
      log?.error({ err: error }, "an answer failed");
      socket.destroy();
    });
  };
}

/** Hangs up on a network that has its share of connections. */
function admit(socket: Socket, network: string | undefined, shares: PerNetworkQuota): void {
  if (shares.take(network)) socket.once("close", () => shares.give(network));
  else socket.destroy();
}

/** Looks at every connection again and again, whatever is spoken on it. Returns what ends that. */
function dropSlowReaders(server: Server, tls: boolean, waits: Waits): () => void {
  const readers = new SlowReaders(waits, () => performance.now());
  // Only TLS's own socket knows what waits on it.
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => {
    readers.watch(socket);
    socket.once("close", () => readers.forget(socket));
  });
  const looking = setInterval(() => readers.look(2 * waits.checkMs), waits.checkMs).unref();
  return () => clearInterval(looking);
}

function close(server: Server, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy(); // those that HTTP's parser has let go of, or never had
    }, graceMs);
    // A connection whose last answer ends only now is kept alive for a next request that never comes.
    const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
    server.close(() => {
      clearTimeout(force);
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}

const JSON_TYPE = "application/json; charset=utf-8";

const malformed = () => new ProtocolError("bad-request", "the request's target or Host is malformed");

/** A request whose target or Host header is no URL never becomes a Request, so it is answered here. */
function badTarget(): Response {
  return Response.json(malformed().body(), { status: 400, headers: plainHeaders() });
}

/** Answers what is not HTTP at all, or came too slowly, on the bare socket, and closes it. */
function refuseMalformed(error: Error, socket: Duplex, answering: Answering): void {
  const code = "code" in error ? error.code : undefined;
  const answers = [...(answering.get(socket) ?? [])];
  // A reader would take anything written into the middle of an answer for a part of it.
  const begun = answers.length > 1 || answers.some(({ headersSent }) => headersSent);
  if (!socket.writable || code === "ECONNRESET" || begun) {
    socket.destroy();
    return;
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") refuseSocket(socket, late(), 408);
  else
    refuseSocket(socket, new ProtocolError("bad-request", "malformed HTTP"), code === OVERFLOW ? 431 : 400);
}

const OVERFLOW = "HPE_HEADER_OVERFLOW";
const late = () => new ProtocolError("bad-request", "the request took too long");
