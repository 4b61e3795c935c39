import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { ADDRESSED, edge } from "../../test/edge.ts";
import { FakeService, HASH, KEY, SHARD } from "../../test/fake-service.ts";
import { NETWORK_SHARE } from "./limits.ts";
import { type Listening, listen } from "./listen.ts";

/** What only a real socket shows: targets as they were sent, lying lengths, slow and silent peers. */
let service: FakeService;
let server: Listening;
let agent: Agent;
let sockets: Socket[];
beforeEach(async () => {
  service = new FakeService();
  server = await listen(edge(service), { host: "127.0.0.1", port: 0 });
  agent = new Agent({ keepAlive: true, maxSockets: 4 });
  sockets = [];
});
afterEach(async () => {
  agent.destroy();
  for (const socket of sockets) socket.destroy();
  await server.close(100);
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(path: string, method = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: server.port, path, method, agent };
    const asking = request(options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asking.on("error", reject).end();
  });
}

/** Writes raw bytes, and collects what comes back until the server hangs up. */
function raw(text: string): { readonly socket: Socket; readonly closed: Promise<string> } {
  const socket = connect(server.port, "127.0.0.1");
  sockets.push(socket);
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    answer += chunk;
  });
  socket.on("error", () => {}); // a reset is a way of hanging up
  socket.write(text);
  return { socket, closed: new Promise((resolve) => socket.on("close", () => resolve(answer))) };
}

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
    expect(service.uploads).toEqual([]);
    expect(service.refusals).toEqual(["too-large"]);
  });

  it("does not wait for bytes that a lying length promised once the sender has gone", async () => {
    const { socket, closed } = raw(post("Content-Length: 4000"));
    socket.end("short");
    await closed;
    await vi.waitFor(() => expect(service.refusals).toEqual(["bad-request"]));
    expect(service.uploads).toEqual([]);
  });
});

describe("A4: time", () => {
  const late = {
    ...{ headersMs: 200, requestMs: 400, checkMs: 20, idleMs: 600, keepAliveMs: 5_000 },
    ...{ readMs: 400, readRate: 1 },
  };
  const whole = "GET /api/run HTTP/1.1\r\nHost: x\r\n\r\n";

  it.each([
    ["silence", ""],
    ["half a header", whole.slice(0, -2)],
    ["half a body", "POST /api/deltas HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\nX"],
  ])("hangs up on %s", async (_, text) => {
    await server.close(0);
    server = await listen(edge(service), { host: "127.0.0.1", port: 0 }, late);
    const { socket, closed } = raw(text);
    // A drip does not buy more time than the request has.
    const drip = setInterval(() => socket.write(text === "" ? "" : "X"), 50);
    await closed;
    clearInterval(drip);
  });

  it("hangs up on who never reads", async () => {
    service.latestSnapshot = () => ({ hash: HASH, bytes: new Uint8Array(64 * 1024 * 1024) });
    await server.close(0);
    server = await listen(edge(service), { host: "127.0.0.1", port: 0 }, late);
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    socket.pause();
    const gone = new Promise((resolve) => socket.on("close", resolve));
    socket.write(whole.replace("/api/run", ROUTES.latestSnapshot));
    await vi.waitFor(() => expect(socket.bytesWritten).toBeGreaterThan(0));
    await server.close(1_000_000); // resolves once the last connection is gone: only the wait brings that about
    socket.resume();
    await gone;
  });

  /** How much of an object comes to a reader that takes a piece of it now and then; ends with a hang-up, or at `most`. */
  async function drip(readMs: number, most: number): Promise<number> {
    service.latestSnapshot = () => ({ hash: HASH, bytes: new Uint8Array(64 * 1024 * 1024) });
    await server.close(0);
    // A pause of 60 s is none of a drip's: only its rate tells it apart.
    const waits = { ...late, idleMs: 60_000, readMs, readRate: 1e12 };
    server = await listen(edge(service), { host: "127.0.0.1", port: 0 }, waits);
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    const gone = new Promise((resolve) => socket.on("close", resolve));
    let taken = 0;
    let timer: NodeJS.Timeout | undefined;
    socket.on("data", (piece) => {
      taken += piece.length;
      if (taken >= most) socket.destroy();
      socket.pause();
      timer = setTimeout(() => socket.resume(), 5);
    });
    socket.write(whole.replace("/api/run", ROUTES.latestSnapshot));
    await gone;
    clearTimeout(timer);
    return taken;
  }

  it("A5: hangs up on a reader that drips, and not where it may take its time, the control", async () => {
    const most = 32 * 1024 * 1024;
    expect(await drip(400, most)).toBeLessThan(most);
    expect(await drip(60_000, most)).toBeGreaterThanOrEqual(most);
  });

  it("A5: hangs up on hundreds of requests in one packet, and answers a few in order, the control", async () => {
    const few = raw(whole.repeat(3) + whole.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    expect((await few.closed).match(/HTTP\/1\.1 200 /g)).toHaveLength(4);
    let made = 0;
    service.status = () => {
      made++;
      throw new Error("the run was asked");
    };
    await raw(whole.repeat(500)).closed;
    expect(made).toBeLessThanOrEqual(17);
  });

  it("hangs up on nobody before its time, the control", async () => {
    const patient = await listen(edge(service), { host: "127.0.0.1", port: 0 });
    const slow = connect(patient.port, "127.0.0.1").on("error", () => {});
    sockets.push(slow);
    slow.write(whole.slice(0, -2));
    await server.close(0);
    server = await listen(edge(service), { host: "127.0.0.1", port: 0 }, late);
    await raw(whole.slice(0, -2)).closed; // it would have been by now
    const answer = new Promise<string>((resolve) => slow.setEncoding("utf8").once("data", resolve));
    slow.write("\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    await patient.close(0);
  });

  it.each([
    ["keeps no more than a quarter of all connections for one network", true],
    ["lets one sender take them all where that is not told apart, the control", false],
  ])("%s", async (_, apart) => {
    await server.close(0);
    const attackers = 12;
    let came = 0;
    const networkOf = () => (++came <= attackers ? "one" : "another");
    const where = { host: "127.0.0.1", port: 0, ...(apart && { networkOf }) };
    const waits = { ...late, headersMs: 60_000, requestMs: 60_000, idleMs: 60_000 };
    server = await listen(edge(service), where, waits, attackers);
    const held = Array.from({ length: attackers }, () => raw(""));
    if (apart) {
      const gone = () => held.filter(({ socket }) => socket.destroyed).length;
      await vi.waitFor(() => expect(gone()).toBe(attackers * (1 - NETWORK_SHARE)), 5_000);
      expect((await ask(ROUTES.run)).status).toBe(200);
    } else {
      await Promise.all(held.map(({ socket }) => socket.connecting && once(socket, "connect")));
      await expect(ask(ROUTES.run)).rejects.toThrow();
    }
  });

  it("answers others while five hundred sockets send nothing", async () => {
    for (let i = 0; i < 500; i++) raw("POST /api/deltas HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\nX");
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(ROUTES.run)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
  });
});

describe("closing", () => {
  it("lets a request in flight end, and hangs up on the idle and the endless", async () => {
    const events = raw("GET /api/events HTTP/1.1\r\nHost: x\r\n\r\n");
    await vi.waitFor(() => expect(service.listeners.size).toBe(1));
    await ask(ROUTES.run); // leaves a kept connection
    await server.close(50);
    await events.closed;
    await expect(ask(ROUTES.run)).rejects.toThrow();
  });
});

describe("starting", () => {
  it("rejects with the system's error when the port is taken", async () => {
    const again = listen(edge(service), { host: "127.0.0.1", port: server.port });
    await expect(again).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});
