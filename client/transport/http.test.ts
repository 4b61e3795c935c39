import { describe, expect, test, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { createIdentity, sha256 } from "../../protocol/identity.ts";
import { MAX_TOKENIZER_BYTES, MAX_TURN_MS } from "../../protocol/limits.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { PROTOCOL_HEADER } from "../../protocol/version.ts";
import { MANIFEST } from "../../test/fake-service.ts";
import { against } from "../../test/harness/answered-api.ts";
import { ServerAway, WrongBytes } from "./away.ts";

const hash = await sha256(utf8("the right bytes"));

/** A body that never ends, as a broken or hostile server might send. */
const endless = () =>
  new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }));

describe("bodies", () => {
  test("A16, the control: content-addressed bytes come back when their hash is right", async () => {
    const { api, requests, traffic } = against(() => new Response("the right bytes"));
    const progress = vi.fn();
    expect(await api.shard(hash, { progress })).toEqual(utf8("the right bytes"));
    expect(progress).toHaveBeenLastCalledWith(15, 15);
    expect(traffic.down).toBe(15);
    expect(requests[0]!.headers.get(PROTOCOL_HEADER)).toBe("2");
  });

  test("A16: and are refused when it is not", async () => {
    const { api } = against(() => new Response("other bytes"));
    await expect(api.shard(hash)).rejects.toThrow(WrongBytes);
    await expect(api.snapshot(hash, 10)).rejects.toThrow(WrongBytes);
  });

  test.each(["15", "3", "0", "999", "-1", "nine", undefined])(
    "come whole, in pieces, where they are announced to be of %s bytes: a server may pack them",
    async (announced) => {
      const pieces = ["the", " ", "right bytes"].map(utf8);
      const body = new ReadableStream({
        pull: (controller) => {
          const piece = pieces.shift();
          if (piece) controller.enqueue(piece);
          else controller.close();
        },
      });
      const headers = new Headers(announced === undefined ? {} : { "content-length": announced });
      const { api } = against(() => new Response(body, { headers }));
      expect(await api.shard(hash)).toEqual(utf8("the right bytes"));
    },
  );

  test("A16: an endless answer is cut at its limit on every route", async () => {
    const { api, traffic } = against(endless);
    await expect(api.manifest()).rejects.toThrow(WrongBytes);
    await expect(api.diff(3, 1_000)).rejects.toThrow(WrongBytes);
    await expect(api.snapshot(hash, 1_000)).rejects.toThrow(WrongBytes);
    await expect(api.shard(hash)).rejects.toThrow(WrongBytes);
    expect(traffic.down).toBeLessThan(4 * 1024 * 1024);
  });

  test("an answer that announces too much is not read at all", async () => {
    const { api, traffic } = against(
      () => new Response("x".repeat(200_000), { headers: { "content-length": "200000" } }),
    );
    await expect(api.diff(0, 10)).rejects.toThrow(WrongBytes);
    expect(traffic.down).toBe(0);
  });

  test("a tokenizer of any size that a server may have is taken, whatever the vocabulary's; a larger one is not", async () => {
    // 512 tokens with 343 kB of merges and names, as real ones have; 64 kB and 256 bytes a token are less.
    const bytes = new Uint8Array(343_000);
    const small = { tokenizer: await sha256(bytes), model: { vocabulary: 512 } };
    const { api } = against(() => new Response(bytes));
    const manifest = { ...small } as unknown as Manifest; // of which the client reads these two
    expect((await api.tokenizer(manifest)).length).toBe(bytes.length);
    const large = against(
      () => new Response("x", { headers: { "content-length": `${MAX_TOKENIZER_BYTES + 1}` } }),
    );
    await expect(large.api.tokenizer(manifest)).rejects.toThrow(WrongBytes);
  });

  test("an endless refusal is cut as well", async () => {
    const { api } = against(() => new Response(endless().body, { status: 500 }));
    await expect(api.manifest()).rejects.toThrow(ServerAway);
  });
});

describe("refusals", () => {
  test("carry their code and when to come back", async () => {
    const { api } = against(() => {
      const error = new ProtocolError("run-paused", "the operator paused the run", 5_000);
      return Response.json(error.body(), { status: error.status });
    });
    await expect(api.manifest()).rejects.toMatchObject({ code: "run-paused", retryAfterMs: 5_000 });
    // However long it is to wait: an answer that asks for more than a day would not be our server's.
    expect(new ProtocolError("quarantined", "", 122_880_000).body().error.retryAfterMs).toBe(86_400_000);
  });

  test.each([
    ["a proxy's page", () => new Response("<h1>Bad gateway</h1>", { status: 502 })],
    ["an unknown code", () => Response.json({ error: { code: "teapot", message: "" } }, { status: 418 })],
    ["no network", () => Promise.reject(new TypeError("fetch failed"))],
  ])("%s is a server that is away", async (_, answer) => {
    await expect(against(answer).api.manifest()).rejects.toThrow(ServerAway);
  });

  const page = (status: number) => () =>
    new Response(`<html>${"x".repeat(100_000)}`, { status, headers: { "content-type": "text/html" } });
  test.each([
    ["a body too large for a proxy", page(413), { kind: "too-large", status: 413 }],
    ["a firewall's page", page(403), { kind: "forbidden", status: 403 }],
    ["a proxy without its server", page(504), { kind: "gateway", status: 504 }],
    ["headers too large for a proxy", page(431), { kind: "headers-too-large", status: 431 }],
    ["a captive portal's page", page(200), { kind: "page", status: 200 }],
    [
      "a redirect to a login",
      () => new Response(null, { status: 302, headers: { location: "https://login.example/" } }),
      { kind: "redirect", status: 302 },
    ],
    [
      "a bad certificate",
      () =>
        Promise.reject(
          new TypeError("fetch failed", {
            cause: Object.assign(new Error(), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
          }),
        ),
      { kind: "certificate" },
    ],
  ])("%s is named, for answers and for the event stream", async (_, answer, why) => {
    const { api } = against(answer);
    await expect(api.manifest()).rejects.toMatchObject({ name: "ServerAway", why });
    if ("status" in why) {
      await expect(api.events()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ why });
    }
  });

  test("the server's own refusal is no proxy's, though a proxy took its headers away", async () => {
    const error = new ProtocolError("too-large", "too much");
    const { api } = against(() => Response.json(error.body(), { status: error.status }));
    await expect(api.manifest()).rejects.toMatchObject({ code: "too-large" });
  });

  test("a connection cut in the middle is a server that is away", async () => {
    const cut = new ReadableStream({
      start: (controller) => controller.enqueue(utf8("half")),
      pull: (controller) => controller.error(new TypeError("terminated")),
    });
    await expect(against(() => new Response(cut)).api.shard(hash)).rejects.toThrow(ServerAway);
  });

  test("another protocol version is distinguished from everything else", async () => {
    const { api } = against(() => new Response("{}", { headers: { [PROTOCOL_HEADER]: "3" } }));
    await expect(api.manifest()).rejects.toMatchObject({ code: "protocol-mismatch" });
  });

  test("JSON that is not what the route answers is the wrong bytes", async () => {
    const headers = { "murmuration-server-nonce": "A".repeat(22) };
    const { api } = against(({ url }) =>
      Response.json(url.endsWith("/api/manifest") ? MANIFEST : { ticket: { run: "x" } }, { headers }),
    );
    await expect(api.ticket(await createIdentity(), {})).rejects.toThrow(WrongBytes);
    await expect(against(() => new Response("[]")).api.manifest()).rejects.toThrow(WrongBytes);
  });

  test("the caller's own abort is not mistaken for the network's", async () => {
    const controller = new AbortController();
    const { api } = against(
      (request) =>
        new Promise((_, reject) => {
          request.signal.addEventListener("abort", () => reject(request.signal.reason));
          controller.abort(new Error("stop"));
        }),
    );
    await expect(api.manifest({ signal: controller.signal })).rejects.toThrow("stop");
  });

  test("a server that says nothing is away after a while, but after its longest turn for who waits for one (N6)", async () => {
    const identity = await createIdentity();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const headers = { "murmuration-server-nonce": "A".repeat(22) };
      let silent = false;
      const { api, requests } = against(
        (request) =>
          new Promise((resolve, reject) => {
            if (!silent) resolve(Response.json(MANIFEST, { headers }));
            request.signal.addEventListener("abort", () => reject(request.signal.reason));
          }),
      );
      await api.manifest();
      silent = true;
      const away: unknown[] = [];
      const asked = [api.manifest(), api.ticket(identity, {})];
      for (const [i, call] of asked.entries()) {
        call.catch((error: unknown) => {
          away[i] = error;
        });
      }
      while (requests.length < 1 + asked.length) await new Promise((resolve) => setImmediate(resolve));
      await vi.advanceTimersByTimeAsync(MAX_TURN_MS);
      expect(away[0]).toBeInstanceOf(ServerAway);
      expect(away[1]).toBeUndefined();
      await vi.advanceTimersByTimeAsync(60_000 - MAX_TURN_MS);
      expect(away[1]).toBeInstanceOf(ServerAway);
    } finally {
      vi.useRealTimers();
    }
  });
});
