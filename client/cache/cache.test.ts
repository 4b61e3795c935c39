import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TimedOut } from "../../model/lib/deadline.ts";
import { type Cache, memoryCache } from "./cache.ts";
import { fileCache } from "./files.ts";
import { lastingCache } from "./lasting.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-cache-"));
});
afterEach(() => rm(directory, { recursive: true }));

describe.each<[string, () => Cache | Promise<Cache>]>([
  ["memory", memoryCache],
  ["files", () => fileCache(join(directory, "run"))],
  ["lasting, over memory", () => lastingCache(memoryCache(), () => undefined)],
  ["lasting, over a full disk", () => lastingCache(fullDisk(memoryCache()), () => undefined)],
])("a cache of %s", (_, open) => {
  test("gives back what was written, as a copy", async () => {
    const cache = await open();
    const weights = Float32Array.of(1, -0, Number.NaN);
    await cache.write({ a: { weights, version: 3 }, "shard/../b": "text" });
    weights[0] = 9;
    expect(await cache.get("a")).toEqual({ weights: Float32Array.of(1, -0, Number.NaN), version: 3 });
    expect(await cache.get("shard/../b")).toBe("text");
    expect(await cache.get("c")).toBeUndefined();
  });

  test("overwrites and deletes in one write", async () => {
    const cache = await open();
    await cache.write({ a: 1, b: 2 });
    await cache.write({ a: 3, b: undefined });
    expect([await cache.get("a"), await cache.get("b")]).toEqual([3, undefined]);
  });
});

describe("files", () => {
  test("outlive the process, and only their owner reads them", async () => {
    await (await fileCache(directory)).write({ volunteer: { step: 4 } });
    expect(await (await fileCache(directory)).get("volunteer")).toEqual({ step: 4 });
    const [file] = await readdir(directory);
    expect((await stat(join(directory, file!))).mode & 0o777).toBe(0o600);
  });

  test("a damaged file counts as absent and can be written again", async () => {
    const cache = await fileCache(directory);
    await cache.write({ volunteer: { step: 4 } });
    const [file] = await readdir(directory);
    await writeFile(join(directory, file!), "half a fi");
    expect(await cache.get("volunteer")).toBeUndefined();
    await cache.write({ volunteer: { step: 5 } });
    expect(await cache.get("volunteer")).toEqual({ step: 5 });
  });
});

/** A disk that reads and deletes but has no room. */
function fullDisk(inner: Cache): Cache & { write: ReturnType<typeof vi.fn<Cache["write"]>> } {
  return {
    get: (key) => inner.get(key),
    write: vi.fn(async (changes) => {
      if (Object.values(changes).some((value) => value !== undefined)) {
        throw new DOMException("no room", "QuotaExceededError");
      }
      return inner.write(changes);
    }),
  };
}

describe("a full disk", () => {
  test("A19: is said once, costs one try, and the values stay in memory", async () => {
    const inner = memoryCache();
    await inner.write({ volunteer: "old", replica: "kept" });
    const disk = fullDisk(inner);
    const say = vi.fn();
    const cache = lastingCache(disk, say);
    for (let i = 0; i < 50; i++) await cache.write({ volunteer: i });
    expect(say).toHaveBeenCalledExactlyOnceWith("no room");
    expect(await cache.get("volunteer")).toBe(49);
    expect(await cache.get("replica")).toBe("kept");
    // One refused write, one deletion: and then the disk is left alone.
    expect(disk.write).toHaveBeenCalledTimes(2);
    expect(await inner.get("volunteer"), "a stale value must not come back after a reload").toBeUndefined();
  });

  test("A19, the control: written to as it is, it is tried for ever, and a stale value comes back", async () => {
    const inner = memoryCache();
    await inner.write({ volunteer: "old" });
    const disk = fullDisk(inner);
    for (let i = 0; i < 50; i++) await disk.write({ volunteer: i }).catch(() => undefined);
    expect(disk.write).toHaveBeenCalledTimes(50);
    expect(await disk.get("volunteer")).toBe("old");
  });

  test("A19: a store that denies even reading is a cache that forgets", async () => {
    const denied: Cache = {
      get: () => Promise.reject(new DOMException("private window", "InvalidStateError")),
      write: () => Promise.reject(new DOMException("private window", "InvalidStateError")),
    };
    const say = vi.fn();
    const cache = lastingCache(denied, say);
    expect(await cache.get("a")).toBeUndefined();
    await cache.write({ a: 1 });
    expect(await cache.get("a")).toBe(1);
    expect(say).toHaveBeenCalledOnce();
  });
});

describe("a disk that never answers", () => {
  const silentDisk = () => {
    const silent = vi.fn(
      (): Promise<never> => Promise.reject(new TimedOut("storage did not answer within 5 s")),
    );
    return { disk: { get: silent, write: silent } satisfies Cache, silent };
  };

  test("is asked once, said once, and memory takes its place", async () => {
    const { disk, silent } = silentDisk();
    const say = vi.fn();
    const cache = lastingCache(disk, say);
    expect(await cache.get("replica")).toBeUndefined();
    for (let i = 0; i < 5; i++) await cache.write({ volunteer: i });
    expect(await cache.get("volunteer")).toBe(4);
    expect(await cache.get("moments")).toBeUndefined();
    expect(silent).toHaveBeenCalledTimes(1);
    expect(say).toHaveBeenCalledExactlyOnceWith("storage did not answer within 5 s");
  });

  test("the control: one that is only full goes on being read", async () => {
    const inner = memoryCache();
    await inner.write({ replica: "kept" });
    const cache = lastingCache(fullDisk(inner), () => undefined);
    await cache.write({ volunteer: 1 });
    expect(await cache.get("replica")).toBe("kept");
  });
});
