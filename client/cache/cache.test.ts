import { type FileHandle, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serialize } from "node:v8";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { TimedOut } from "../../model/lib/deadline.ts";
import { type Cache, memoryCache } from "./cache.ts";
import { fileCache } from "./files.ts";
import { lastingCache } from "./lasting.ts";
import { writeStored } from "./stored.ts";

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

  const moments = {
    m: Float32Array.of(1, Number.NaN, -0),
    v: new Float32Array(5).subarray(1, 3).fill(7), // a part of a longer one
    step: 4,
    also: [Uint16Array.of(1, 2, 3), new Float64Array(0), BigInt64Array.of(-1n), Buffer.from("text")],
  };

  test("keep vectors of every kind as they are, and no more of a buffer than is theirs", async () => {
    const cache = await fileCache(directory);
    await cache.write({ moments });
    const also = [...moments.also.slice(0, 3), Uint8Array.from(Buffer.from("text"))];
    expect(await cache.get("moments")).toEqual({ ...moments, also });
    const read = (await cache.get("moments")) as typeof moments;
    expect(read.v.buffer.byteLength).toBe(8);
  });

  test("of earlier releases are read", async () => {
    const cache = await fileCache(directory);
    await cache.write({ moments: 1 });
    const [file] = await readdir(directory);
    await writeFile(join(directory, file!), serialize({ m: moments.m, step: 4 }));
    expect(await cache.get("moments")).toEqual({ m: moments.m, step: 4 });
  });

  test("that are too short or too long count as absent, and nothing is allocated for them", async () => {
    const cache = await fileCache(directory);
    await cache.write({ moments });
    const [name] = await readdir(directory);
    const file = join(directory, name!);
    const whole = await readFile(file);
    for (let length = 0; length < whole.length; length++) {
      await writeFile(file, whole.subarray(0, length));
      expect(await cache.get("moments"), `${length} bytes`).toBeUndefined();
    }
    await writeFile(file, Buffer.concat([whole, Buffer.alloc(1)]));
    expect(await cache.get("moments")).toBeUndefined();
    const huge = Buffer.from(whole);
    huge.writeUInt32BE(2 ** 32 - 1, 4); // the head's length
    await writeFile(file, huge);
    expect(await cache.get("moments")).toBeUndefined();
    await writeFile(file, whole);
    expect(await cache.get("moments")).toBeDefined();
  });

  test("are written from where vectors lie: no copy of them is made", async () => {
    const written: ArrayBufferLike[] = [];
    const write = async (bytes: Uint8Array, at: number, length: number) => {
      written.push(bytes.buffer);
      return { bytesWritten: Math.min(length, 3), at }; // a file may take less than it is given
    };
    await writeStored({ write } as unknown as FileHandle, { moments });
    expect(written).toContain(moments.m.buffer);
    expect(written.filter((buffer) => buffer === moments.m.buffer).length).toBe(4);
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
