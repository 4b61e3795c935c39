import { describe, expect, it, vi } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { ADDRESSED, edge } from "../../test/edge.ts";
import { HASH, KEY, SHARD } from "../../test/fake-service.ts";
import { listening } from "../../test/harness/listening.ts";
import { listen } from "./listen.ts";

/** What only a real socket shows: targets as they were sent, lying lengths, a close in the middle. */
const net = listening();
const { ask, raw } = net;

describe("targets as they were sent", () => {
  const paths = [
    ...[ROUTES.health, "/readyz", ROUTES.run, ROUTES.manifest, ROUTES.tokenizer, ROUTES.latestSnapshot],
    ...[ROUTES.diff(2), ROUTES.snapshot(HASH), ROUTES.shard(SHARD), ROUTES.credit(KEY)],
    ...[ROUTES.tickets, ROUTES.deltas, ROUTES.events],
    ...["/", "/status", "/frame", "/embed.js", "/assets/page-abc123.js"],
  ];

  it.each(paths)("A13: %s is not found under any other spelling", async (path) => {
    const spellings = [
      `/${path}`,
      path.replaceAll("/", "//"),
      `${path}/`,
      `/x/..${path}`,
      `/..${path}`,
      `/.${path}`,
      `/%2e%2e${path}`,
      `/x/%2E%2e${path}`,
      `/.x${path}`,
      path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
      path.replace(/\/([a-z])/, (_, letter: string) => `/${letter.toUpperCase()}`),
      path.replace(/[a-z]+$/, (last) => last.toUpperCase()),
      `${path}%00`,
      `${path}%`,
      `${path}%zz`,
      `${path}%2f`,
      `${path}%5c..`,
      `${path};x`,
      `${path}.`,
      `${path}..`,
      `${path}*`,
      `${path}${"a".repeat(200)}`,
    ];
    for (const spelling of new Set(spellings)) {
      if (
        spelling === path ||
        (path === ROUTES.credit(KEY) && /^\/api\/volunteers\/[\w-]{43}$/.test(spelling))
      )
        continue;
      for (const method of ["GET", "POST", "HEAD"]) {
        const answer = await ask(spelling, method);
        const slashed = spelling === `${path}/` && !path.startsWith("/api/") && !path.includes(".");
        if (slashed && method !== "POST") continue; // a page's path with a slash leads to the page (raw-http.test.ts)
        expect(answer.status, `${method} ${spelling}`).toBe(404);
        expect(answer.headers["murmuration-protocol"]).toBe("2");
        expect(answer.headers["x-content-type-options"]).toBe("nosniff");
      }
    }
  });

  it("A13: answers the right spelling, the control", async () => {
    for (const path of paths.filter(
      (one) => !([ROUTES.tickets, ROUTES.deltas, ROUTES.events] as string[]).includes(one),
    ))
      expect((await ask(`${path}?x=%2e%2e`)).status, path).toBe(200);
  });

  it.each([
    ["a backslash", "GET /api\\run HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    ["a Host that is none", "GET / HTTP/1.1\r\nHost: a b/@\r\nConnection: close\r\n\r\n"],
    ["no Host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
    ["no HTTP", "hello\r\n\r\n"],
    ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["CONNECT, which is for proxies", "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"],
    ["an unknown Expect", "GET /api/run HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n"],
    [
      "two lengths",
      "POST /api/deltas HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
    [
      "a length and chunks",
      "POST /api/deltas HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
    ["a header too long", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`],
  ])("gives %s a typed refusal and hangs up", async (_, text) => {
    const answer = await raw(text).closed;
    expect(answer).toMatch(/^HTTP\/1\.1 4(00|17|31) /);
    expect(answer.toLowerCase()).toContain("murmuration-protocol: 2");
    expect(answer).toContain('"code":"bad-request"');
  });
});

describe("A5: bodies on a socket", () => {
  const ADDRESSED_LINES = Object.entries(ADDRESSED)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const post = (headers: string) =>
    `POST /api/deltas HTTP/1.1\r\nHost: x\r\n${ADDRESSED_LINES}${headers}\r\n\r\n`;

  it("hangs up on a declared length over the limit without waiting for it", async () => {
    const { socket, closed } = raw(post("Content-Length: 1000000000"));
    socket.write("x".repeat(1_000));
    const answer = await closed;
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"too-large"');
    expect(answer.toLowerCase()).toContain("connection: close");
  });

  it("hangs up on chunks that never end", async () => {
    const { socket, closed } = raw(post("Transfer-Encoding: chunked"));
    const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`;
    socket.write(chunk + chunk);
    const flood = () => {
      while (!socket.destroyed && socket.writable && socket.write(chunk));
    };
    socket.on("drain", flood);
    flood();
    expect(await closed).toMatch(/413 |^$/); // a flooding sender may be reset before it reads its answer
    expect(net.service.uploads).toEqual([]);
    expect(net.service.refusals).toEqual(["too-large"]);
  });

  it("does not wait for bytes that a lying length promised once the sender has gone", async () => {
    const { socket, closed } = raw(post("Content-Length: 4000"));
    socket.end("short");
    await closed;
    await vi.waitFor(() => expect(net.service.refusals).toEqual(["bad-request"]));
    expect(net.service.uploads).toEqual([]);
  });
});

describe("closing", () => {
  it("lets a request in flight end, and hangs up on the idle and the endless", async () => {
    const events = raw("GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n");
    await vi.waitFor(() => expect(net.service.listeners.size).toBe(1));
    await ask(ROUTES.run); // leaves a kept connection
    await net.server.close(50);
    await events.closed;
    await expect(ask(ROUTES.run)).rejects.toThrow();
  });
});

describe("starting", () => {
  it("rejects with the system's error when the port is taken", async () => {
    const again = listen(edge(net.service), { host: "127.0.0.1", port: net.server.port });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
