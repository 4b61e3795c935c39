import { Writable } from "node:stream";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import { ProtocolError } from "../../protocol/errors.ts";
import { shardName } from "../../protocol/ids.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { PROTOCOL_HEADER } from "../../protocol/version.ts";
import { edge, PAGES } from "../../test/edge.ts";
import { FakeService, HASH, KEY, SHARD } from "../../test/fake-service.ts";

let service: FakeService;
let app: ReturnType<typeof edge>;
beforeEach(() => {
  service = new FakeService();
  app = edge(service);
});

const READS = [
  ROUTES.health,
  "/readyz",
  ROUTES.run,
  ROUTES.manifest,
  ROUTES.tokenizer,
  ROUTES.latestSnapshot,
  ROUTES.events,
  ROUTES.diff(2),
  ROUTES.snapshot(HASH),
  ROUTES.shard(SHARD),
  ROUTES.chunks(shardName(SHARD)),
  ROUTES.credit(KEY),
];
const WORK = [ROUTES.tickets, ROUTES.deltas];
const PAGE_PATHS = ["/", "/status", "/frame", "/embed.js", "/assets/page-abc123.js"];

async function codeOf(response: Response): Promise<string> {
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const body: { error: { code: string; message: string } } = await response.json();
  expect(body.error.message).not.toBe("");
  return body.error.code;
}

describe("every route", () => {
  it.each([...READS, ...PAGE_PATHS])(
    "GET %s answers, with the protocol and the strict headers",
    async (path) => {
      const response = await app.request(path);
      expect(response.status).toBe(200);
      expectStrict(response, path);
      await response.body?.cancel();
    },
  );

  it.each([...READS, ...PAGE_PATHS])("POST %s is refused, and told that it takes GET", async (path) => {
    const response = await app.request(path, { method: "POST", body: "{}" });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await codeOf(response)).toBe("method-not-allowed");
    expectStrict(response);
  });

  it.each(WORK)("GET %s is refused, and told that it takes POST", async (path) => {
    for (const method of ["GET", "HEAD"]) {
      const response = await app.request(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST");
    }
    expect(await codeOf(await app.request(path))).toBe("method-not-allowed");
  });

  const all = [...READS, ...WORK, ...PAGE_PATHS];
  it.each(all)("%s refuses every other method, and tells OPTIONS which it takes", async (path) => {
    for (const method of ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
      const response = await app.request(path, { method });
      expect(response.status, method).toBe(method === "OPTIONS" ? 204 : 405);
      expect(response.headers.get("allow")).toBe(WORK.some((one) => one === path) ? "POST" : "GET, HEAD");
      expectStrict(response);
    }
    expect(service.tickets).toBe(0);
    expect(service.uploads).toEqual([]);
  });
});

function expectStrict(response: Response, path = ""): void {
  expect(response.headers.get(PROTOCOL_HEADER)).toBe("2");
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("referrer-policy")).toBe("no-referrer");
  const policy = response.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; base-uri 'none'; form-action 'none'/);
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\bdata:.*script|https?:|blob:/);
  const open = path === "/embed.js" ? ["access-control-allow-origin"] : []; // for a tag that pins it
  expect([...response.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual(open);
}

describe("reading", () => {
  it("answers what the run holds", async () => {
    expect(await (await app.request(ROUTES.run)).json()).toEqual(service.status());
    expect(await (await app.request(ROUTES.manifest)).json()).toEqual(service.manifest());
    expect(await (await app.request(ROUTES.health)).json()).toEqual({ status: "ok" });
    expect(await (await app.request(ROUTES.credit(KEY))).json()).toEqual(service.credit());
    const bytes = async (path: string) => [...new Uint8Array(await (await app.request(path)).arrayBuffer())];
    expect(await bytes(ROUTES.latestSnapshot)).toEqual([1, 2, 3]);
    expect(await bytes(ROUTES.snapshot(HASH))).toEqual([1, 2, 3]);
    expect(await bytes(ROUTES.diff(2))).toEqual([4, 5]);
    expect(await bytes(ROUTES.diff(2, HASH))).toEqual([4, 5]);
    expect(await bytes(ROUTES.shard(SHARD))).toEqual([6, 7, 8, 9]);
  });

  it("lets caches keep for good what its hash names, and ask about the rest", async () => {
    const cache = async (path: string) => (await app.request(path)).headers.get("cache-control");
    expect(await cache(ROUTES.snapshot(HASH))).toMatch(/immutable/);
    expect(await cache(ROUTES.shard(SHARD))).toMatch(/immutable/);
    expect(await cache(ROUTES.diff(2, HASH))).toMatch(/immutable/);
    expect(await cache("/assets/page-abc123.js")).toMatch(/immutable/);
    for (const path of [ROUTES.latestSnapshot, ROUTES.diff(2), ROUTES.tokenizer, "/", "/embed.js"]) {
      expect(await cache(path), path).toBe("no-cache");
    }
    for (const path of [ROUTES.run, ROUTES.manifest]) expect(await cache(path), path).toBe("no-store");
  });

  it.each([ROUTES.latestSnapshot, ROUTES.snapshot(HASH), ROUTES.diff(2), ROUTES.tokenizer, "/", "/status"])(
    "%s is 304 for who has it",
    async (path) => {
      const etag = (await app.request(path)).headers.get("etag") ?? "";
      expect(etag).toMatch(/^".+"$/);
      const again = await app.request(path, { headers: { "if-none-match": `"other", W/${etag}` } });
      expect(again.status).toBe(304);
      expect(await again.text()).toBe("");
      const other = await app.request(path, { headers: { "if-none-match": '"other"' } });
      expect(other.status).toBe(200);
    },
  );

  it.each([
    "/api/snapshots/x.safetensors",
    `/api/snapshots/${HASH}`,
    `/api/snapshots/${HASH}.safetensors.safetensors`,
    `/api/snapshots/${"A".repeat(64)}.safetensors`,
    `/api/snapshots/${"d".repeat(64)}.safetensors`,
    "/api/shards/passwd",
    `/api/shards/${HASH}`,
    "/api/diffs/-1",
    "/api/diffs/02",
    "/api/diffs/2.5",
    "/api/diffs/1e1",
    "/api/diffs/99999999999999999999",
    "/api/diffs/99",
    ROUTES.diff(2, SHARD),
    `/api/diffs/02-${HASH}`,
    `/api/diffs/2-${HASH}0`,
    "/api/volunteers/me",
    "/api",
    "/api/nothing",
    "/nothing",
    "/norun",
    "/index.html",
    "/package.json",
    "/assets",
    "/.git/config",
  ])("%s is not found", async (path) => {
    const response = await app.request(path);
    expect(response.status).toBe(404);
    expect(await codeOf(response)).toBe("not-found");
  });
});

describe("pages", () => {
  it("may frame the volunteer only where the server names the site, if it names any", async () => {
    const named = edge(new FakeService(), { embedOn: ["https://a.example", "http://localhost:81"] });
    const policy = (await named.request("/frame")).headers.get("content-security-policy");
    expect(policy).toMatch(/; frame-ancestors https:\/\/a\.example http:\/\/localhost:81$/);
    expect((await named.request("/")).headers.get("content-security-policy")).toContain(
      "frame-ancestors 'none'",
    );
  });

  it("may fetch from the mirror where there is one, and from no other site", async () => {
    const policyOf = async (path: string, mirror?: string) =>
      (await edge(new FakeService(), { mirror }).request(path)).headers.get("content-security-policy");
    for (const path of ["/", "/frame", "/assets/page-abc123.js"]) {
      expect(await policyOf(path, "https://cdn.example:8443/run")).toContain(
        "connect-src 'self' https://cdn.example:8443;",
      );
      expect(await policyOf(path)).toContain("connect-src 'self';");
    }
  });

  it("A12: may not be framed, except the framed volunteer", async () => {
    for (const path of PAGES.paths.filter((one) => one !== "/norun")) {
      const response = await app.request(path);
      const policy = response.headers.get("content-security-policy");
      expect(policy, path).toContain(`frame-ancestors ${path === "/frame" ? "*" : "'none'"}`);
      expect(policy, path).toContain("script-src 'self' 'wasm-unsafe-eval';");
      const embedded = path === "/frame" || path === "/embed.js";
      const resource = embedded ? "cross-origin" : "same-origin";
      expect(response.headers.get("cross-origin-resource-policy"), path).toBe(resource);
      // What an isolated site takes: the frame, and every script that may be a Worker's.
      const isolated = path === "/frame" || path.startsWith("/assets/");
      const embedder = response.headers.get("cross-origin-embedder-policy");
      expect(embedder, path).toBe(isolated ? "require-corp" : null);
    }
  });

  it("have their types", async () => {
    const type = async (path: string) => (await app.request(path)).headers.get("content-type");
    expect(await type("/")).toBe("text/html; charset=utf-8");
    expect(await type("/embed.js")).toBe("text/javascript; charset=utf-8");
    expect(await type("/assets/logo-abc123.png")).toBe("image/png");
  });

  it("are compressed for who takes it, with a tag for each form", async () => {
    const ask = (accept: string | undefined) =>
      app.request("/", accept === undefined ? {} : { headers: { "accept-encoding": accept } });
    const plain = await ask(undefined);
    const page = Buffer.from(await plain.arrayBuffer());
    expect(plain.headers.get("content-encoding")).toBeNull();
    const br = await ask("gzip, deflate, br;q=1");
    expect(br.headers.get("content-encoding")).toBe("br");
    expect(br.headers.get("vary")).toBe("accept-encoding");
    expect(brotliDecompressSync(await br.arrayBuffer())).toEqual(page);
    const gz = await ask("gzip, br;q=0");
    expect(gz.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await gz.arrayBuffer())).toEqual(page);
    const tags = [plain, br, gz].map((response) => response.headers.get("etag"));
    expect(new Set(tags).size).toBe(3);
    const image = await app.request("/assets/logo-abc123.png", { headers: { "accept-encoding": "br" } });
    expect(image.headers.get("content-encoding")).toBeNull();
  });
});

describe("a failure we did not expect", () => {
  it("is logged, and shows nothing of itself", async () => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    service.failure = new Error("secret at /home/operator");
    const response = await edge(service, { log: pino(sink) }).request(ROUTES.run);
    expect(response.status).toBe(500);
    expectStrict(response);
    const body = await response.text();
    expect(JSON.parse(body).error.code).toBe("internal-error");
    expect(body).not.toContain("secret");
    expect(lines.join("")).toContain("secret at /home/operator");
  });

  it("keeps a refusal's own status and says when to come back", async () => {
    service.failure = new ProtocolError("run-paused", "the operator paused the run", 4_200);
    const response = await app.request(ROUTES.run);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("5");
    expect(await response.json()).toEqual({
      error: { code: "run-paused", message: "the operator paused the run", retryAfterMs: 4_200 },
    });
  });
});

describe("a server without a run", () => {
  beforeEach(() => {
    app = edge(undefined);
  });

  it.each(["/", "/status", "/frame", "/anything"])(
    "%s is the page that says how to make one",
    async (path) => {
      const response = await app.request(path);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain("<title>no run</title>");
      expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    },
  );

  it.each([...READS.slice(1), ...WORK])("%s has no run", async (path) => {
    for (const method of ["GET", "POST"]) {
      const response = await app.request(path, { method });
      expect(response.status).toBe(path === "/readyz" && method === "POST" ? 405 : 503);
      if (response.status === 503) expect(await codeOf(response)).toBe("no-run");
    }
  });

  it("is healthy, and serves what its page needs", async () => {
    expect((await app.request("/healthz")).status).toBe(200);
    expect((await app.request("/assets/page-abc123.js")).status).toBe(200);
    expect((await app.request("/favicon.ico")).status).toBe(404);
  });
});
