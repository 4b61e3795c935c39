import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shardName } from "../../protocol/ids.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { edge, edgeOptions, PAGES } from "../../test/edge.ts";
import { FakeService, HASH, KEY, SHARD } from "../../test/fake-service.ts";
import { type Listening, listen } from "../net/listen.ts";
import { isLoopbackHost } from "../net/network.ts";
import { createApp } from "./app.ts";

/** Requests as monitors, proxies and people send them, byte for byte. */
let service: FakeService;
let server: Listening;
beforeEach(async () => {
  service = new FakeService();
  const metrics = { text: async () => "murmuration_version 3\n", token: "secret" };
  server = await listen(edge(service, { metrics }), { host: "127.0.0.1", port: 0 });
});
afterEach(() => server.close(0));

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes as they are, and reads until the server hangs up. */
function send(text: string, port = server.port): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1").on("error", reject);
    let came = "";
    socket.setEncoding("latin1").on("data", (chunk) => {
      came += chunk;
    });
    socket.on("end", () => {
      const [head = "", ...rest] = came.split("\r\n\r\n");
      resolve({ status: Number(head.split(" ")[1]), head: head.toLowerCase(), body: rest.join("\r\n\r\n") });
    });
    socket.write(text);
  });
}

const ask = (method: string, target: string, headers = "") =>
  send(`${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}Connection: close\r\n\r\n`);
const lengthOf = ({ head }: Answer) => /^content-length: (\d+)$/m.exec(head)?.[1];

const READS = [
  ...[ROUTES.health, ROUTES.ready, "/metrics", ROUTES.run, ROUTES.manifest, ROUTES.tokenizer],
  ...[ROUTES.latestSnapshot, ROUTES.diff(2), ROUTES.snapshot(HASH), ROUTES.shard(SHARD)],
  ...[ROUTES.chunks(shardName(SHARD)), ROUTES.version(3), ROUTES.credit(KEY), ROUTES.leaders],
  ...["/badge.svg", ...PAGES.paths.filter((path) => path !== "/norun")],
];

describe("HEAD", () => {
  it.each(READS)("of %s has GET's status and headers, its length too, and no body", async (path) => {
    const [get, head] = [await ask("GET", path), await ask("HEAD", path)];
    expect(get.status).toBe(200);
    expect(lengthOf(get)).toBe(String(get.body.length));
    const undated = (answer: Answer) =>
      answer.head
        .replace(/^date: .*$/m, "")
        .split("\r\n")
        .toSorted();
    expect(undated(head)).toEqual(undated(get));
    expect(head.body).toBe("");
  });

  it("of what is not there is 404 with the length of what GET would say", async () => {
    const [get, head] = [await ask("GET", "/nowhere"), await ask("HEAD", "/nowhere")];
    expect([get.status, head.status]).toEqual([404, 404]);
    expect(lengthOf(head)).toBe(String(get.body.length));
    expect(head.body).toBe("");
  });

  it("of a range says which", async () => {
    const head = await ask("HEAD", ROUTES.shard(SHARD), "Range: bytes=1-2\r\n");
    expect(head).toMatchObject({ status: 206, body: "" });
    expect(head.head).toContain("content-range: bytes 1-2/4");
    expect(lengthOf(head)).toBe("2");
  });

  it("of the event stream opens none; a GET, the control, does", async () => {
    const head = await ask("HEAD", ROUTES.events);
    expect(head).toMatchObject({ status: 200, body: "" });
    expect(head.head).toContain("content-type: text/event-stream");
    let cancelled = 0;
    const { closing, ...options } = edgeOptions();
    const app = createApp(service, { ...options, closing });
    const streams = [await app.request(ROUTES.events, { method: "HEAD" }), await app.request(ROUTES.events)];
    for (const { body } of streams) {
      if (body === null) continue;
      cancelled++;
      await body.cancel();
    }
    expect(cancelled).toBe(1);
  });

  it("counts no bytes as sent", async () => {
    const sent: number[] = [];
    const app = edge(service, { sent: (_, bytes) => sent.push(bytes) });
    const path = ROUTES.shard(SHARD);
    await app.request(path, { method: "HEAD" });
    await app.request(path, { method: "HEAD", headers: { range: "bytes=0-1" } });
    expect(sent).toEqual([]);
    await app.request(path); // the control
    expect(sent).toEqual([4]);
  });
});

describe("a target in absolute form, as proxies send it", () => {
  it.each(READS)("http://elsewhere%s is answered as its path is", async (path) => {
    const answer = await ask("GET", `http://localhost:80${path}?x=1`);
    expect(answer.status).toBe(200);
    expect(answer.body).toBe((await ask("GET", `${path}?x=1`)).body);
  });

  it("without a path is the first page, whatever the letters of its scheme", async () => {
    for (const target of ["http://localhost", "HTTPS://localhost", "http://localhost?x=1"]) {
      expect((await ask("GET", target)).body, target).toContain("<title>volunteer</title>");
    }
  });

  it("is held to the same spelling as a path", async () => {
    for (const rest of ["//api/run", "/api/../api/run", "/api/%72un", "/.x"]) {
      expect((await ask("GET", `http://localhost${rest}`)).status, rest).toBe(404);
    }
  });

  it("with an authority that is none is refused", async () => {
    for (const target of ["http://", "http:///api/run", "http://a@b/api/run", "http://[/api/run", "http:x"]) {
      expect((await ask("GET", target)).status, target).toBe(400);
    }
  });
});

describe("OPTIONS, as HAProxy's checks send it", () => {
  it.each([...READS, "*", "http://localhost:80/"])("of %s says what it takes", async (path) => {
    for (const about of [
      `${path} HTTP/1.0\r\n`,
      `${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`,
    ]) {
      const answer = await send(`OPTIONS ${about}\r\n`);
      expect(answer, about).toMatchObject({ status: 204, body: "" });
      expect(answer.head, about).toContain("allow: get, head");
      expect(answer.head, "for no script of another origin").not.toContain("access-control-allow-methods");
    }
  });

  it("of what is not there, or by another method of all, is refused as ever", async () => {
    expect((await ask("OPTIONS", "/api/nothing")).status).toBe(404);
    expect((await ask("OPTIONS", "//")).status).toBe(404);
    expect((await ask("GET", "*")).status).toBe(400);
    expect((await ask("OPTIONS", "*x")).status).toBe(400);
  });
});

describe("A27: the Host header", () => {
  it("may be absent in HTTP/1.0 alone", async () => {
    expect(await send("GET /healthz HTTP/1.0\r\n\r\n")).toMatchObject({
      status: 200,
      body: '{"status":"ok"}',
    });
    expect(await send("HEAD /healthz HTTP/1.0\r\n\r\n")).toMatchObject({ status: 200, body: "" });
    expect((await send("GET / HTTP/1.0\r\n\r\n")).body).toContain("<title>volunteer</title>");
    expect((await send("GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")).status).toBe(400);
  });

  it("comes once: a second one is refused, even of the same host", async () => {
    for (const other of ["localhost", "elsewhere", ""]) {
      const two = await send(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nhOsT: ${other}\r\n\r\n`);
      expect(two.status, other).toBe(400);
      expect(two.body).toContain('"code":"bad-request"');
    }
  });
});

describe("A27: /metrics to this machine", () => {
  const get = (host: string, headers = "") =>
    send(`GET /metrics HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`);

  it("is read under a name of this machine", async () => {
    for (const host of ["localhost", "localhost:8080", "127.0.0.1:9", "[::1]", "metrics.localhost"]) {
      expect((await get(host)).status, host).toBe(200);
    }
  });

  it("is not read under a name that leads here from elsewhere, but with the token", async () => {
    for (const host of [
      "rebound.example",
      "localhost.rebound.example",
      "127.0.0.1.rebound.example",
      "10.0.0.1",
    ]) {
      expect((await get(host)).status, host).toBe(404);
      expect((await get(host, "Authorization: Bearer secret\r\n")).status, host).toBe(200);
    }
    // In an absolute target the authority counts, not the header.
    expect((await ask("GET", "http://rebound.example/metrics")).status).toBe(404);
  });

  it("takes no name for one of this machine that only resembles it", () => {
    for (const host of ["127.0.0.1.x", "localhostx", "xlocalhost", "128.0.0.1", "[::2]", "a b", ""]) {
      expect(isLoopbackHost(host), host).toBe(false);
    }
  });
});

describe("a slash at the end", () => {
  it("of a page's path leads to the page, by a relative address and with the query", async () => {
    for (const path of ["/status", "/frame", "/healthz", "/readyz"]) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await ask(method, `${path}/?a=b`);
        expect(answer.status, path).toBe(301);
        expect(answer.head).toContain(`location: ..${path}?a=b`);
      }
    }
  });

  it("of anything else is another path", async () => {
    for (const path of [
      "/nowhere/",
      "/norun/",
      "/embed.js/",
      "/assets/page-abc123.js/",
      "/status//",
      "/api/run/",
    ]) {
      expect((await ask("GET", path)).status, path).toBe(path === "/norun/" ? 301 : 404);
    }
  });

  it("leads on a server without a run to the page that says how to make one", async () => {
    const response = await edge(undefined).request("/status/");
    expect([response.status, response.headers.get("location")]).toEqual([301, "../status"]);
  });
});

describe("what is not there", () => {
  it("is a page for who asks for one, and JSON for everybody else and all of the API", async () => {
    const browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
    const page = await ask("GET", "/a/b/nowhere", browser);
    expect(page.status).toBe(404);
    expect(page.head).toContain("content-type: text/html");
    expect(page.head).toContain("content-security-policy: default-src 'none'");
    expect(page.body).toContain('href="./../../"');
    expect(page.body).not.toContain("nowhere"); // nothing that was asked for is repeated
    for (const [path, headers] of [
      ["/a/b/nowhere", "Accept: */*\r\n"],
      ["/a/b/nowhere", ""],
      ["/api/nowhere", browser],
    ] as const) {
      expect(JSON.parse((await ask("GET", path, headers)).body)).toMatchObject({
        error: { code: "not-found" },
      });
    }
  });
});
