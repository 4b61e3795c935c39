import { expect, test } from "vitest";
import { memoryCache } from "../client/cache/cache.ts";
import { httpApi } from "../client/transport/http.ts";
import { mirroredApi } from "../client/transport/mirror.ts";
import { Replica } from "../client/worker/replica.ts";
import { Mirror } from "../server/mirror/mirror.ts";
import { mirrorSource } from "../server/mirror/source.ts";
import { edge } from "./edge.ts";
import { MemoryTarget } from "./harness/memory-target.ts";
import { advance, silentLog, TestVolunteer, tinyCorpus, tinyRun, until } from "./harness/tiny-run.ts";
import { toFloats } from "./harness/to-floats.ts";

const FOLLOWERS = 5;
const VERSIONS = 10;

/**
 * A run whose followers bring their copies to each version as it comes; the bytes of objects that the server and the
 * mirror sent. The mirror may change what it serves.
 */
async function followed(serve?: (target: MemoryTarget, url: string) => Promise<Response>) {
  const target = new MemoryTarget();
  const corpus = await tinyCorpus();
  const clock = () => 0;
  const mirror = serve && new Mirror({ url: "https://cdn.example/run", target, log: silentLog, clock });
  const tiny = await tinyRun({ corpus, ...(mirror && { mirror }) });
  await mirror?.attach(mirrorSource(tiny.run, corpus));
  await until(() => !mirror?.behind);
  const bytes = { server: 0, mirror: 0, asked: 0 };
  const sent = (_: string, more: number) => {
    bytes.server += more;
  };
  const app = edge(tiny.run, { sent });
  const server = "http://localhost";
  const api = () =>
    mirroredApi(
      httpApi({
        server,
        fetch: async (input, init) => app.request(String(input).slice(server.length), init),
      }),
      {
        clock,
        fetch: async (input) => {
          bytes.asked++;
          return (await serve?.(target, String(input))) ?? new Response("", { status: 404 });
        },
        traffic: (more) => {
          bytes.mirror += more;
        },
      },
    );
  const file = {
    write: (weights: Float32Array) => new Uint8Array(weights.slice().buffer),
    read: toFloats,
    copy: (weights: Float32Array) => new Float32Array(weights),
  };
  const { signal } = new AbortController();
  const followers = await Promise.all(
    Array.from({ length: FOLLOWERS }, async () => {
      const own = api();
      const parts = { api: own, cache: memoryCache(), file, parameters: 10, signal };
      return { own, replica: await Replica.open(parts) };
    }),
  );
  const volunteer = await TestVolunteer.create();
  for (let version = 0; version <= VERSIONS; version++) {
    if (version > 0) await advance(volunteer, tiny, 1);
    for (const { own, replica } of followers) {
      const { hash } = await own.manifest();
      for (const shard of version === 0 ? corpus.train : []) await own.shard(shard.hash);
      await replica.sync(version, hash);
      expect(file.write(await replica.sync(version, hash))).toEqual(tiny.run.latestSnapshot().bytes);
    }
  }
  await mirror?.close();
  await tiny.run.close();
  return bytes;
}

test("with a mirror the server itself sends no more than a twentieth of the objects' bytes; without one, all", async () => {
  const alone = await followed();
  expect([alone.mirror, alone.server > 0]).toEqual([0, true]);
  const shared = await followed((target, url) => target.fetch(url));
  expect(shared.server / (shared.server + shared.mirror)).toBeLessThanOrEqual(0.05);
  expect(shared.server + shared.mirror).toBeGreaterThanOrEqual(alone.server); // signed lists are the price
});

test("a mirror that is empty, wrong or away loses nothing: everybody has every version from the server", async () => {
  const alone = await followed();
  const lying = async (target: MemoryTarget, url: string) => {
    const honest = await target.fetch(url);
    const bytes = new Uint8Array(await honest.arrayBuffer());
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    return new Response(bytes, { status: honest.status });
  };
  const empty = async () => new Response("", { status: 404 });
  const away = async (): Promise<Response> => {
    throw new TypeError("fetch failed");
  };
  for (const serve of [empty, lying, away]) {
    const { server, asked } = await followed(serve);
    expect(server).toBe(alone.server);
    if (serve !== empty) expect(asked).toBe(FOLLOWERS); // one question each, and never again
  }
});
