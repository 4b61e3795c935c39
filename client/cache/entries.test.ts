import { expect, test } from "vitest";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Cache, memoryCache } from "./cache.ts";
import {
  KEYS,
  openIdentity,
  readMoments,
  readProbe,
  readReplica,
  readResidual,
  saveProbe,
} from "./entries.ts";
import { readPending } from "./pending.ts";
import { shardOf } from "./shards.ts";

const hash = "ab".repeat(32) as Hash;

test("an identity is made once and cannot be exported", async () => {
  const cache = memoryCache();
  const identity = await openIdentity(cache);
  expect((await openIdentity(cache)).key).toBe(identity.key);
  await expect(crypto.subtle.exportKey("pkcs8", identity.privateKey)).rejects.toThrow();
});

test("a replica of another size, or of an earlier release, is not taken", async () => {
  const cache = memoryCache();
  const saved = { version: 2, hash, weights: Float32Array.of(1, 2) };
  await cache.write({ [KEYS.replica]: saved });
  expect(await readReplica(cache, 2)).toEqual(saved);
  expect(await readReplica(cache, 3)).toBeUndefined();
  for (const other of [null, 4, {}, { ...saved, version: -1 }, { ...saved, weights: [1, 2] }]) {
    await cache.write({ [KEYS.replica]: other });
    expect(await readReplica(cache, 2)).toBeUndefined();
  }
});

test("moments and a residual are taken whole or not at all", async () => {
  const cache = memoryCache();
  const two = Float32Array.of(1, 2);
  const short = Float32Array.of(1);
  const moments = { m: two, v: two, step: 3 };
  const residual = { version: 2, after: "AAAAAAAAAAAAAAAAAAAAAA", values: two };
  await cache.write({ [KEYS.moments]: moments, [KEYS.residual]: residual });
  expect(await readMoments(cache, 2)).toEqual(moments);
  expect(await readResidual(cache, 2)).toEqual(residual);
  for (const other of [{ ...moments, v: short }, { ...moments, step: -1 }, {}, undefined]) {
    await cache.write({ [KEYS.moments]: other });
    expect(await readMoments(cache, 2)).toBeUndefined();
  }
  for (const other of [
    { ...residual, values: short },
    { ...residual, after: "?" },
    { values: two },
    undefined,
  ]) {
    await cache.write({ [KEYS.residual]: other });
    expect(await readResidual(cache, 2)).toBeUndefined();
  }
});

test("a pending upload that is none is forgotten", async () => {
  const cache = memoryCache();
  await cache.write({ [KEYS.pending]: new Uint8Array(3) });
  expect(await readPending(cache)).toBeUndefined();
});

/** Shards made up from a number, and which were fetched. */
function shards(cache: Cache, length = 4) {
  const fetched: number[] = [];
  const bytesOf = (number: number) => new Uint8Array(length).fill(number, 0, 1);
  return {
    fetched,
    bytesOf,
    take: async (number: number) => {
      const fetch = async () => {
        fetched.push(number);
        return bytesOf(number);
      };
      return shardOf(cache, await sha256(bytesOf(number)), fetch, 4_000);
    },
  };
}

test("a shard is fetched once, and the least recently used gives way", async () => {
  const { take, fetched } = shards(memoryCache(), 1_000);
  const first = await take(9);
  expect(first).toHaveLength(500);
  expect(first[0]).toBe(9);
  for (const number of [1, 2, 3, 9, 4]) await take(number); // 9 was used again: 1 is the oldest when 4 comes
  expect(fetched).toEqual([9, 1, 2, 3, 4]);
  await take(9);
  await take(2);
  expect(fetched).toHaveLength(5);
  await take(1);
  expect(fetched).toEqual([9, 1, 2, 3, 4, 1]);
});

test("a shard that the disk damaged is fetched again", async () => {
  const cache = memoryCache();
  const { take, fetched, bytesOf } = shards(cache);
  await take(5);
  await cache.write({ [KEYS.shard(await sha256(bytesOf(5)))]: Uint8Array.of(9, 9, 9, 9) });
  expect(await take(5)).toEqual(Uint16Array.of(5, 0));
  expect(fetched).toEqual([5, 5]);
});

test("a probe's winner is believed for a week, for the same browser and adapter", async () => {
  const cache = memoryCache();
  const day = 86_400_000;
  await saveProbe(cache, "a browser", "wasm/fast", 10 * day);
  expect(await readProbe(cache, "a browser", 11 * day)).toBe("wasm/fast");
  expect(await readProbe(cache, "another browser", 11 * day)).toBeUndefined();
  expect(await readProbe(cache, "a browser", 18 * day)).toBeUndefined();
  expect(await readProbe(cache, "a browser", day), "a clock set back").toBeUndefined();
});
