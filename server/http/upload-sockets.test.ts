import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { UploadLimiter } from "./upload-limiter.ts";

describe("bodies from a socket", () => {
  /** A server that reads bodies of at most `limit` bytes, and what it says of each. */
  async function reader(limit: number, most = { bodies: 10, bytes: 1_000_000 }) {
    const bodies = new UploadLimiter(most);
    const server = createServer((incoming, outgoing) => {
      bodies
        .read(incoming, limit, async (bytes) => createHash("sha256").update(bytes).digest("hex"))
        .catch((error: { code?: string }) => error.code ?? String(error))
        .then((said) => outgoing.end(said));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    return { bodies, server, url: `http://127.0.0.1:${port}/`, port };
  }
  const closed = (server: Server) =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  it("hands over exactly what came, its length declared or not, and gives the room back", async () => {
    const { bodies, server, url } = await reader(400_000);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const hash = createHash("sha256").update(bytes).digest("hex");
    for (const body of [bytes, new Blob([bytes]).stream()]) {
      const init = { method: "POST", body, duplex: "half" };
      expect(await (await fetch(url, init)).text()).toBe(hash);
      expect(bodies.bytes).toBe(0);
    }
    await closed(server);
  });

  it("A5: refuses what is longer than it may be, whatever it declared, and answers", async () => {
    const { bodies, server, url } = await reader(1_000);
    const stream = new Blob([new Uint8Array(5_000)]).stream();
    const init = { method: "POST", body: stream, duplex: "half" };
    expect(await (await fetch(url, init)).text()).toBe("too-large");
    expect(bodies.bytes).toBe(0);
    await closed(server);
  });

  it("A5: holds no more than came of five hundred bodies that stay away, and lets go of all when they break off", async () => {
    const { bodies, server, port } = await reader(400_000, { bodies: 600, bytes: 20_000_000 });
    const [declared, sent] = [400_000, 2_000];
    const sockets = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => {});
        await once(socket, "connect");
        socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${declared}\r\n\r\n`);
        socket.write(new Uint8Array(sent));
        return socket;
      }),
    );
    await vi.waitFor(() => expect(bodies.bytes).toBeGreaterThanOrEqual(500 * sent), 10_000);
    expect(bodies.bytes).toBeLessThanOrEqual(500 * 2 * sent);
    // The control: an honest one is taken meanwhile.
    const honest = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      body: new Uint8Array(300_000),
    });
    expect(await honest.text()).toHaveLength(64);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(() => expect(bodies.bytes).toBe(0), 10_000);
    await closed(server);
  });
});
