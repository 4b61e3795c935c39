import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server on this machine whose uplink has only so many bytes a second, shared by all who use it. */
export interface Throttle {
  readonly origin: string;
  /** Bytes that went to clients. */
  readonly sent: () => number;
  close(): Promise<void>;
}

/** Bytes that pass at a time: sockets take turns in pieces of this size. */
const PIECE = 16 * 1024;

export async function throttle(port: number, bytesPerSecond: number): Promise<Throttle> {
  let sent = 0;
  let free = performance.now();
  const sockets = new Set<Socket>();
  /** Resolves when the link has carried so many bytes more, after all that came before. */
  const pass = (bytes: number) => {
    sent += bytes;
    free = Math.max(free, performance.now()) + (bytes / bytesPerSecond) * 1_000;
    const wait = free - performance.now();
    return wait < 1 ? Promise.resolve() : new Promise<void>((resolve) => setTimeout(resolve, wait));
  };
  const server = createServer((client) => {
    const inner = connect(port, "127.0.0.1");
    for (const socket of [client, inner]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        inner.destroy();
      });
    }
    client.pipe(inner);
    void (async () => {
      for await (const data of inner) {
        const bytes: Buffer = data;
        for (let at = 0; at < bytes.length; at += PIECE) {
          const piece = bytes.subarray(at, at + PIECE);
          await pass(piece.length);
          if (!client.write(piece)) await new Promise((resolve) => client.once("drain", resolve));
        }
      }
      client.end();
    })().catch(() => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
