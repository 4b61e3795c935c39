import { describe, expect, test } from "vitest";
import { encodeFrame } from "../../protocol/frame.ts";
import { sha256 } from "../../protocol/identity.ts";
import { refuse, ToyServer } from "../../test/harness/toy-run.ts";
import { TARGET, ToyTrainer, toyFile } from "../../test/harness/toy-trainer.ts";
import { always, visit } from "../../test/harness/visit.ts";
import { memoryCache } from "../cache/cache.ts";
import { KEYS } from "../cache/entries.ts";
import { Replica } from "./replica.ts";

const COUNT = TARGET.length;

describe("the replica (rules B1 to B3)", () => {
  /** A visit that has version 0, and a server that has moved on by so many small changes. */
  async function behind(versions: number) {
    const server = await ToyServer.open();
    const cache = memoryCache();
    await visit(server, cache).until("sent", 1);
    const change = new Float32Array(COUNT).fill(0.01);
    for (let i = 0; i < versions; i++) await server.move(change);
    server.asked.length = 0;
    return { server, cache };
  }

  test("takes the changes where they are fewer bytes", async () => {
    const { server, cache } = await behind(0);
    await visit(server, cache).until("sent", 1);
    expect(server.asked).toContain("diff");
    expect(server.asked).not.toContain("snapshot");
  });

  test("takes the snapshot where that is", async () => {
    const { server, cache } = await behind(5);
    await visit(server, cache).until("sent", 1);
    expect(server.asked).toContain("snapshot");
    expect(server.asked).not.toContain("diff");
  });

  test("leaves a chain whose first change shows that the rest costs more than the snapshot", async () => {
    const values = 1_000;
    const file = {
      write: (weights: Float32Array) => new Uint8Array(weights.slice().buffer),
      read: (bytes: Uint8Array<ArrayBuffer>) => new Float32Array(bytes.slice().buffer),
      copy: (weights: Float32Array) => new Float32Array(weights),
    };
    const newest = new Float32Array(values).fill(3);
    const asked: string[] = [];
    const api = {
      diff: async (version: number) => {
        asked.push(`diff ${version}`);
        return encodeFrame({ name: "f32" }, new Float32Array(values).fill(1));
      },
      snapshot: async () => {
        asked.push("snapshot");
        return file.write(newest);
      },
    };
    const cache = memoryCache();
    const weights = new Float32Array(values);
    await cache.write({ [KEYS.replica]: { version: 0, hash: await sha256(file.write(weights)), weights } });
    const { signal } = new AbortController();
    const replica = await Replica.open({ api, cache, file, parameters: values, signal });
    expect(await replica.sync(3, await sha256(file.write(newest)))).toEqual(newest);
    expect(asked).toEqual(["diff 0", "snapshot"]);
  });

  test.each([
    ["missing", (server: ToyServer) => delete server.diffs[0]],
    ["garbage", (server: ToyServer) => server.diffs[0]!.fill(255)],
    ["another change", (server: ToyServer) => server.diffs[0]!.fill(0, -5)],
  ])("a diff that is %s is healed by the snapshot", async (_, damage) => {
    const { server, cache } = await behind(0);
    damage(server);
    await visit(server, cache).until("sent", 1);
    expect(server.asked).toContain("snapshot");
    expect(server.uploads).toHaveLength(2);
  });

  test("a snapshot that is no model of this run is never trained on", async () => {
    const server = await ToyServer.open();
    const trainer = new ToyTrainer();
    const here = visit(server, memoryCache(), always(trainer));
    const { snapshot } = server;
    let wrong = 0;
    server.snapshot = async (hash) => {
      if (wrong++ === 0) return Uint8Array.of(1, 2, 3);
      if (wrong === 2) return toyFile.write(new Float32Array(COUNT).fill(Number.NaN));
      return snapshot(hash);
    };
    await here.until("sent", 1);
    expect(wrong).toBe(3);
    expect(here.phases()).toContain("away");
  });

  test("A16: a cached copy that the disk damaged is not used, even where its version is the newest", async () => {
    const { server, cache } = await behind(0);
    const { hash } = server.versions[server.version]!;
    const damaged = { version: server.version, hash, weights: new Float32Array(COUNT).fill(7) };
    await cache.write({ [KEYS.replica]: damaged });
    await visit(server, cache).until("sent", 1);
    expect(server.asked).toContain("snapshot");
  });

  test("a version that is gone by the time it is fetched: the newest one is taken instead", async () => {
    const server = await ToyServer.open();
    const here = visit(server);
    let gone = 0;
    server.before = async (route) => {
      if (route !== "snapshot" || gone++ > 0) return;
      await server.move(new Float32Array(COUNT).fill(1));
      refuse("not-found");
    };
    await here.until("sent", 1);
    expect(server.uploads[0]!.ticket.version).toBe(1);
  });
});
