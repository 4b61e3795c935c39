import { createServer, type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import type { Hono } from "hono";
import { ProtocolError } from "../../protocol/errors.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import type { Edge } from "./edge.ts";
import { STRICT_HEADERS } from "./headers.ts";
import { MAX_CONNECTIONS, MAX_HEADER_BYTES, NETWORK_SHARE, WAITS, type Waits } from "./limits.ts";
import { Shares } from "./shares.ts";

export interface ListenOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** PEM; with it the server speaks HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Of connections, one network may have a part; undefined for one that is behind a proxy, or has none. */
  readonly networkOf?: (socket: Socket) => string | undefined;
  /** Hears of every new connection. */
  readonly onSocket?: (socket: Socket) => void;
  /** Answers requests for another protocol than HTTP, on their bare sockets. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface Listening {
  readonly port: number;
  /** Takes no new connection, lets requests in flight end, and closes what is left after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** While closing, how often connections that have become idle are closed. */
const IDLE_LOOK_MS = 50;

/** Serves an app on a socket, with every wait bounded (limits.ts). Rejects with the system's error. */
export async function listen(
  app: Pick<Hono<Edge>, "fetch">,
  options: ListenOptions,
  waits: Waits = WAITS,
  connections = MAX_CONNECTIONS,
): Promise<Listening> {
  const settings = {
    headersTimeout: waits.headersMs,
    requestTimeout: waits.requestMs,
    connectionsCheckingInterval: waits.checkMs,
    keepAliveTimeout: waits.keepAliveMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: false, // Node's own refusal would be untyped: badTarget answers
  };
  const handler = getRequestListener(app.fetch, { errorHandler: badTarget });
  const server: Server = options.tls
    ? createSecureServer({ ...settings, ...options.tls }, handler)
    : createServer(settings, handler);
  server.maxConnections = connections;
  const shares = new Shares(NETWORK_SHARE * connections);
  server.setTimeout(waits.idleMs);
  server.on("clientError", refuseOnSocket);
  const { networkOf } = options;
  if (networkOf !== undefined) server.on("connection", (socket) => admit(socket, networkOf(socket), shares));
  if (options.onSocket !== undefined) server.on("connection", options.onSocket);
  if (options.onUpgrade !== undefined) server.on("upgrade", options.onUpgrade);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens has one
    close: (graceMs) => close(server, graceMs),
  };
}

/** Hangs up on a network that has its share of connections. */
function admit(socket: Socket, network: string | undefined, shares: Shares): void {
  if (shares.take(network)) socket.once("close", () => shares.give(network));
  else socket.destroy();
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), graceMs);
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

/** A request whose target or Host header is no URL never becomes a Request, so it is answered here. */
function badTarget(): Response {
  const { code, message } = new ProtocolError("bad-request", "the request's target or Host is malformed");
  return Response.json({ error: { code, message } }, { status: 400, headers: plainHeaders() });
}

/** What is not HTTP at all, or came too slowly: answered on the bare socket, and closed. */
function refuseOnSocket(error: Error, socket: Duplex): void {
  if (!socket.writable || ("code" in error && error.code === "ECONNRESET")) {
    socket.destroy();
    return;
  }
  const late = "code" in error && error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const big = "code" in error && error.code === "HPE_HEADER_OVERFLOW";
  const status = late ? 408 : big ? 431 : 400;
  const refusal = new ProtocolError("bad-request", late ? "the request took too long" : "malformed HTTP");
  const body = JSON.stringify(refusal.body());
  const headers = {
    ...plainHeaders(),
    connection: "close",
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const answer = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n");
  socket.end(answer, () => socket.destroy()); // a sender that goes on sending has nobody to send to
}

const plainHeaders = () => ({ ...STRICT_HEADERS, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) });
