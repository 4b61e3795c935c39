import { connect, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { ROUTES, SIGNALLING_PATH, WRITING_ROUTES } from "../../protocol/routes.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";

/** Bytes that a stranger may send on a connection of its own. */
export interface Form {
  readonly name: string;
  readonly bytes: Buffer;
  /** The answer does not end by itself: the stranger hangs up once it has begun. */
  readonly endless?: boolean;
}

/** What a stranger does once it has sent a part of a form. */
export const ENDINGS = ["reset", "reset when answered", "half-close", "silence"] as const;
export type Ending = (typeof ENDINGS)[number];

const WEBSOCKET = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
const SOCKET_KEY = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
const H = "Host: x\r\n";
const JSON_BODY = "Content-Type: application/json\r\n";

const post = (path: string, body: string) =>
  `POST ${path} HTTP/1.1\r\n${H}${JSON_BODY}Content-Length: ${body.length}\r\n\r\n${body}`;

/** A masked frame of `opcode` whose mask is zero, so that the payload is written as it is. */
const frame = (opcode: number, payload: string) =>
  `${String.fromCharCode(0x80 | opcode, 0x80 | payload.length)}\0\0\0\0${payload}`;

/** Every form of request, and of what is none. `signalling` is the query of a browser that may open a WebSocket. */
export function formsOf(signalling = "id=none&token=none"): readonly Form[] {
  const socketPath = `${SIGNALLING_PATH}?key=peerjs&${signalling}`;
  const texts: Readonly<Record<string, string>> = {
    nothing: "",
    GET: `GET ${ROUTES.health} HTTP/1.1\r\n${H}\r\n`,
    "a page": `GET / HTTP/1.1\r\n${H}Accept-Encoding: gzip, br\r\n\r\n`,
    "a download": `GET ${ROUTES.latestSnapshot} HTTP/1.1\r\n${H}\r\n`,
    "a range": `GET ${ROUTES.latestSnapshot} HTTP/1.1\r\n${H}Range: bytes=0-9\r\n\r\n`,
    HEAD: `HEAD ${ROUTES.health} HTTP/1.1\r\n${H}\r\n`,
    "HEAD of the event stream": `HEAD ${ROUTES.events} HTTP/1.1\r\n${H}\r\n`,
    "a body with its length": `POST ${ROUTES.deltas} HTTP/1.1\r\n${H}${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\nContent-Length: 40\r\n\r\n${"x".repeat(40)}`,
    "a body in chunks": `POST ${ROUTES.tickets} HTTP/1.1\r\n${H}${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\n{"a":\r\n3\r\n1} \r\n0\r\nTrailer: x\r\n\r\n`,
    "a body that says it is gzip": `POST ${ROUTES.tickets} HTTP/1.1\r\n${H}${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\0`,
    "a body that is too long": `POST ${ROUTES.tickets} HTTP/1.1\r\n${H}${PROTOCOL_HEADER}: ${PROTOCOL_VERSION}\r\nContent-Length: 99999999\r\n\r\nxxx`,
    "a text in a stream": post(WRITING_ROUTES.completions, '{"model":"x","prompt":"The ","stream":true}'),
    measurements: post(ROUTES.speeds, "[]"),
    "a team by a broken name": `GET ${ROUTES.teams}/%ff HTTP/1.1\r\n${H}\r\n`,
    "an operator's request": `POST /api/operator/sign-in HTTP/1.1\r\n${H}Origin: http://x\r\nmurmuration-operator: 1\r\n${JSON_BODY}Content-Length: 2\r\n\r\n{}`,
    "Expect: 100-continue": `POST ${ROUTES.deltas} HTTP/1.1\r\n${H}Expect: 100-continue\r\nContent-Length: 4\r\n\r\nabcd`,
    "another expectation": `POST ${ROUTES.deltas} HTTP/1.1\r\n${H}Expect: the-worst\r\nContent-Length: 4\r\n\r\nabcd`,
    "three pipelined": `GET ${ROUTES.health} HTTP/1.1\r\n${H}\r\nGET /nowhere HTTP/1.1\r\n${H}\r\nPOST ${ROUTES.tickets} HTTP/1.1\r\n${H}Content-Length: 2\r\n\r\n{}`,
    "garbage behind a request": `GET ${ROUTES.run} HTTP/1.1\r\n${H}\r\n\0\x01\x02 garbage\r\n\r\n`,
    "a WebSocket": `GET ${socketPath} HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n${frame(9, "hi")}${frame(1, '{"type":"HEARTBEAT"}')}`,
    "a WebSocket that talks nonsense": `GET ${socketPath} HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n\xff\xff\xff\xff${"z".repeat(30)}`,
    "a WebSocket without a key": `GET ${socketPath} HTTP/1.1\r\n${H}${WEBSOCKET}\r\n`,
    "a WebSocket of a version to come": `GET ${socketPath} HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n${SOCKET_KEY}\r\n`,
    "a WebSocket by POST": `POST ${socketPath} HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}Content-Length: 3\r\n\r\nabc`,
    "a WebSocket of nobody": `GET ${SIGNALLING_PATH} HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket from elsewhere": `GET ${socketPath} HTTP/1.1\r\n${H}Origin: null\r\n${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket for two hosts": `GET ${socketPath} HTTP/1.1\r\n${H}Host: y\r\n${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket by its whole address": `GET http://x${socketPath} HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket behind a request": `GET ${ROUTES.run} HTTP/1.1\r\n${H}\r\nGET ${socketPath} HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket at //": `GET // HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket at no URL": `GET http://[ HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "a WebSocket where none is": `GET / HTTP/1.1\r\n${H}${WEBSOCKET}${SOCKET_KEY}\r\n`,
    "an upgrade to h2c": `GET ${ROUTES.health} HTTP/1.1\r\n${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    "an upgrade with a body": `POST ${ROUTES.tickets} HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 2\r\n\r\n{}`,
    "an upgrade behind an upgrade": `GET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: x\r\n\r\nGET / HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: y\r\n\r\n`,
    CONNECT: "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n\x16\x03\x01",
    "HTTP/2's preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    "a TLS hello": "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03 and so on",
    "a TLS alert": "\x15\x03\x03\0\x02\x02\x28",
    "two slashes": `GET // HTTP/1.1\r\n${H}\r\n`,
    "an absolute target": `GET http://elsewhere${ROUTES.health} HTTP/1.1\r\n${H}\r\n`,
    "an absolute target of nothing": `GET http:// HTTP/1.1\r\n${H}\r\n`,
    "an absolute target that is no URL": `GET http://[:x HTTP/1.1\r\n${H}\r\n`,
    "OPTIONS *": `OPTIONS * HTTP/1.1\r\n${H}\r\n`,
    "HTTP/1.0": `GET ${ROUTES.health} HTTP/1.0\r\n\r\n`,
    "two hosts": `GET ${ROUTES.health} HTTP/1.1\r\n${H}Host: y\r\n\r\n`,
    "a host that is none": `GET ${ROUTES.health} HTTP/1.1\r\nHost: [::1/@\r\n\r\n`,
    "no host": `GET ${ROUTES.health} HTTP/1.1\r\n\r\n`,
    TRACE: `TRACE ${ROUTES.health} HTTP/1.1\r\n${H}\r\n`,
    "another method": `PROPFIND / HTTP/1.1\r\n${H}\r\n`,
    "no method": "hello\r\n\r\n",
    "NUL bytes": `GET /\0 HTTP/1.1\r\n${H}A: \0\r\n\r\n`,
    "an endless header": `GET / HTTP/1.1\r\n${H}A: ${"a".repeat(20_000)}`,
    "a negative length": `POST ${ROUTES.tickets} HTTP/1.1\r\n${H}Content-Length: -1\r\n\r\n`,
    "a chunk of any size": `POST ${ROUTES.tickets} HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx`,
  };
  const forms: Form[] = Object.entries(texts).map(([name, text]) => ({
    name,
    bytes: Buffer.from(text, "latin1"),
  }));
  const events = Buffer.from(`GET ${ROUTES.events} HTTP/1.1\r\n${H}\r\n`, "latin1");
  return [...forms, { name: "the event stream", bytes: events, endless: true }];
}

/** Bytes after which what a server does may change: the first, both sides of every line's end, the middle, all. */
export function cutsOf({ bytes }: Form): readonly number[] {
  const cuts = new Set([0, 1, bytes.length >> 1, bytes.length - 1, bytes.length]);
  for (let at = bytes.indexOf("\r\n"); at >= 0; at = bytes.indexOf("\r\n", at + 1)) {
    for (const cut of [at, at + 1, at + 2]) cuts.add(cut);
  }
  return [...cuts].filter((cut) => cut >= 0 && cut <= bytes.length);
}

/** Where the strangers go. */
export interface Target {
  readonly port: number;
  readonly tls?: boolean;
}

/**
 * Sends the first `cut` bytes of a form and ends as is said. Resolves to how many bytes came back once the connection
 * is over; rejects where the server has not closed it `patienceMs` after the last byte that came.
 */
export function play(
  target: Target,
  form: Form,
  cut: number,
  ending: Ending,
  patienceMs: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const { raw, socket } = open(target);
    let came = 0;
    const late = () => {
      socket.destroy();
      reject(new Error(`held: ${form.name}, cut at ${cut}, ${ending}`));
    };
    const timer = setTimeout(late, patienceMs);
    socket.on("error", () => {}); // being reset is a way of being hung up on
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(came);
    });
    socket.on("data", ({ length }) => {
      came += length;
      timer.refresh();
      if (ending === "reset when answered") raw.resetAndDestroy();
      else if (form.endless) socket.destroy();
    });
    const sent = () => {
      if (ending === "half-close") socket.end();
      if (ending === "reset") raw.resetAndDestroy();
    };
    socket.once(target.tls ? "secureConnect" : "connect", () => {
      if (cut === 0) sent();
      else socket.write(form.bytes.subarray(0, cut), sent);
    });
  });
}

/** A connection, and the one below it where it is encrypted: only TCP can reset. */
function open({ port, tls }: Target): { readonly raw: Socket; readonly socket: Socket } {
  const raw = connect(port, "127.0.0.1").on("error", () => {});
  return { raw, socket: tls ? connectSecurely({ socket: raw, rejectUnauthorized: false }) : raw };
}

/** Runs tasks, so many at once. Rejects with the first failure. */
export async function inParallel(tasks: readonly (() => Promise<unknown>)[], atOnce: number): Promise<void> {
  const rest = tasks.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const task of rest) await task();
    }),
  );
}
