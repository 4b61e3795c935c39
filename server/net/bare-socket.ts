import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ProtocolError } from "../../protocol/errors.ts";
import { PROTOCOL_HEADER, PROTOCOL_VERSION } from "../../protocol/version.ts";
import { STRICT_HEADERS } from "./headers.ts";

/** Milliseconds that a peer has to read a last answer and to close its side. Then the socket is destroyed. */
const LINGER_MS = 500;

/** The headers of an answer that no route gives. */
export const plainHeaders = () => ({ ...STRICT_HEADERS, [PROTOCOL_HEADER]: String(PROTOCOL_VERSION) });

/**
 * Answers on a socket that no longer belongs to HTTP's parser, and closes it. Such a socket has no error listener and
 * no timeout of its own: without a listener a reset would end the process, and without a deadline a silent peer would
 * hold the socket for as long as it likes. What the peer still sends is discarded, since a socket that is closed with
 * unread bytes is reset, and the peer would then lose the answer.
 */
export function refuseSocket(socket: Duplex, refusal: ProtocolError, status: number = refusal.status): void {
  socket.on("error", () => socket.destroy());
  const body = JSON.stringify(refusal.body());
  const headers = {
    ...plainHeaders(),
    connection: "close",
    "content-type": "application/json; charset=utf-8",
    "content-length": String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.end([`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n"));
  socket.resume();
  const deadline = setTimeout(() => socket.destroy(), LINGER_MS).unref();
  socket.once("close", () => clearTimeout(deadline));
}
