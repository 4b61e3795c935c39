import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { utf8 } from "../../protocol/bytes.ts";
import { signChunks } from "../../protocol/chunks.ts";
import { createIdentity, sha256 } from "../../protocol/identity.ts";
import { diffName, type Hash, type RunId } from "../../protocol/ids.ts";
import { pathInMirror, ROUTES } from "../../protocol/routes.ts";
import { MANIFEST } from "../../test/fake-service.ts";
import type { Api } from "./api.ts";
import { mirroredApi } from "./mirror.ts";

const MIRROR = "https://cdn.example/run";
const server = await createIdentity();
const stranger = await createIdentity();
const manifest = { ...MANIFEST, server: server.key, mirror: MIRROR };
const bytes = new Uint8Array([1, 2, 3, 4]);
const hash = await sha256(bytes);

let files: Map<string, Uint8Array<ArrayBuffer> | Response>;
let asked: string[];
let direct: string[];
let lines: string[];
let paces: unknown[];
let now: number;
beforeEach(() => {
  files = new Map();
  [asked, direct, lines, paces] = [[], [], [], []];
  now = 0;
});

afterEach(() => {
  vi.useRealTimers();
});

function opened(change: { readonly mirror?: undefined } = {}) {
  const unused = () => Promise.reject(new Error("not asked for here"));
  const from = (what: string) => async () => {
    direct.push(what);
    return bytes;
  };
  const { mirror, ...rest } = { ...manifest, ...change };
  const api: Api = {
    ...{ auditedDelta: unused, answerAudit: unused },
    ...{ tokenizer: unused, upload: unused, credit: unused, events: () => (async function* () {})() },
    manifest: async () => ({ ...rest, ...(mirror !== undefined && { mirror }) }),
    ticket: async (_, pace) => {
      paces.push(pace);
      return {} as never; // what it says is nobody's business here
    },
    ...{ snapshot: from("snapshot"), diff: from("diff"), shard: from("shard") },
  };
  const fetch = async (
    input: Parameters<typeof globalThis.fetch>[0],
    init?: RequestInit,
  ): Promise<Response> => {
    const path = String(input).slice(MIRROR.length);
    asked.push(path);
    expect(init?.headers).toBeUndefined(); // a header of ours would have browsers ask first
    const found = files.get(path);
    init?.signal?.throwIfAborted();
    if (found instanceof Response && init?.signal) return abortable(found, init.signal);
    if (found instanceof Response) return found;
    return found === undefined ? new Response("", { status: 404 }) : new Response(found);
  };
  const say = (line: string) => void lines.push(line);
  return mirroredApi(api, { fetch, clock: () => now, say });
}

const list = async (version: number, signer = server.privateKey, run: RunId = manifest.run) =>
  utf8(JSON.stringify({ chunks: await signChunks(signer, { run, object: diffName(version) }, bytes) }));

async function hold(version: number, chunks: Uint8Array<ArrayBuffer>, diff: Uint8Array<ArrayBuffer> = bytes) {
  files.set(ROUTES.chunks(diffName(version)), chunks);
  files.set(pathInMirror(diffName(version), hash), diff);
}

describe("K10: a mirror", () => {
  test("is asked first, and what has its hash is all that the server is not asked for", async () => {
    const api = opened();
    await api.manifest();
    files.set(ROUTES.shard(hash), bytes);
    files.set(ROUTES.snapshot(hash), bytes);
    await hold(7, await list(7));
    expect(await api.shard(hash)).toEqual(bytes);
    expect(await api.snapshot(hash, 10)).toEqual(bytes);
    expect(await api.diff(7, 10)).toEqual(bytes);
    expect(direct).toEqual([]);
    expect(asked).toHaveLength(4);
  });

  test("that lacks something is passed over for it, and asked again", async () => {
    const api = opened();
    await api.manifest();
    expect(await api.diff(7, 10)).toEqual(bytes);
    await hold(8, await list(8));
    expect(await api.diff(8, 10)).toEqual(bytes);
    expect(direct).toEqual(["diff"]);
    expect(lines).toEqual([]);
  });

  test("is not asked where the manifest names none, nor before it is read", async () => {
    files.set(ROUTES.shard(hash), bytes);
    const none = opened({ mirror: undefined });
    await none.manifest();
    await none.shard(hash);
    await opened().shard(hash);
    expect(asked).toEqual([]);
    expect(direct).toHaveLength(2);
  });

  const other = new Uint8Array([9]);
  test.each([
    ["other bytes under a hash", async () => void files.set(ROUTES.shard(hash), other)],
    [
      "more bytes than there can be",
      async () => void files.set(ROUTES.shard(hash), new Uint8Array(9_000_000)),
    ],
    ["a page for every path", async () => void files.set(ROUTES.shard(hash), utf8("<!doctype html>"))],
  ])("that sends %s is not asked again, ever, and it costs nothing but a line", async (_, lie) => {
    const api = opened();
    await api.manifest();
    await lie();
    expect(await api.shard(hash)).toEqual(bytes);
    now += 1e12;
    await api.manifest(); // the same mirror is still the same liar
    expect(await api.shard(hash)).toEqual(bytes);
    expect([asked.length, direct.length]).toEqual([1, 2]);
    expect(lines).toEqual([
      expect.stringMatching(/^the mirror https:\/\/cdn\.example\/run is no help .*not asked again/),
    ]);
  });

  test.each([
    ["a list that a stranger signed", () => list(7, stranger.privateKey)],
    ["a list of another run", () => list(7, server.privateKey, "9".repeat(64) as RunId)],
    ["a list of another diff", () => list(6)],
    ["no list", async () => utf8("{}")],
  ])("that sends %s is not asked again", async (_, make) => {
    const api = opened();
    await api.manifest();
    await hold(7, await make());
    expect(await api.diff(7, 10)).toEqual(bytes);
    await api.diff(7, 10);
    expect([asked.length, direct.length]).toEqual([1, 2]);
  });

  test.each([
    ["answers nothing", new ReadableStream({ start() {} })],
    [
      "sends a byte now and then",
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1_000));
          controller.enqueue(new Uint8Array(1));
        },
      }),
    ],
  ])("that %s costs ten seconds once, and is left alone for minutes", async (_, stream) => {
    vi.useFakeTimers();
    const api = opened();
    await api.manifest();
    files.set(ROUTES.shard(hash), new Response(stream));
    const first = api.shard(hash);
    await vi.advanceTimersByTimeAsync(9_900);
    expect(direct).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    vi.useRealTimers();
    expect(await first).toEqual(bytes);
    await api.shard(hash);
    expect([asked.length, direct.length]).toEqual([1, 2]);
    now += 5 * 60_000;
    files.set(ROUTES.shard(hash), bytes);
    await api.shard(hash);
    expect([asked.length, direct.length]).toEqual([2, 2]);
  });

  test("tells the server how many bytes it sent, once", async () => {
    const api = opened();
    await api.manifest();
    files.set(ROUTES.shard(hash), bytes);
    await api.shard(hash);
    await api.ticket(stranger, { speed: 3 });
    await api.ticket(stranger, { speed: 3 });
    expect(paces).toEqual([{ speed: 3, mirrored: 4 }, { speed: 3 }]);
  });

  test("whose download is stopped by its visitor is not to blame", async () => {
    const api = opened();
    await api.manifest();
    const stopped = new AbortController();
    stopped.abort(new Error("stopped"));
    files.set(ROUTES.shard(hash), new Response(new ReadableStream()));
    await expect(api.shard(hash as Hash, { signal: stopped.signal })).rejects.toThrow("stopped");
    expect(lines).toEqual([]);
  });
});

/** A response whose body ends with the request's signal, as a browser's does. */
function abortable(response: Response, signal: AbortSignal): Response {
  const { readable, writable } = new TransformStream();
  response.body?.pipeTo(writable, { signal }).catch(() => {}); // its reader gets the error
  return new Response(readable);
}
