import { expect, test } from "vitest";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Cache, memoryCache } from "./cache.ts";
import { KEYS, openIdentity, readPending, readReplica, readVolunteer } from "./entries.ts";
import { KEPT_SHARDS, shardOf } from "./shards.ts";

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

test("a volunteer's state is taken whole or not at all", async () => {
  const cache = memoryCache();
  const two = Float32Array.of(1, 2);
  const saved = { version: 2, moments: { m: two, v: two, step: 3 }, residual: two, unsent: false };
  await cache.write({ [KEYS.volunteer]: saved });
  expect(await readVolunteer(cache, 2)).toEqual(saved);
  await cache.write({ [KEYS.volunteer]: { ...saved, moments: undefined, residual: undefined } });
  expect(await readVolunteer(cache, 2)).toEqual({ ...saved, moments: undefined, residual: undefined });
  const short = Float32Array.of(1);
  for (const other of [
    { ...saved, residual: short },
    { ...saved, moments: { m: two, v: short, step: 3 } },
    {},
  ]) {
    await cache.write({ [KEYS.volunteer]: other });
    expect(await readVolunteer(cache, 2)).toBeUndefined();
  }
});

test("a pending upload that is none is forgotten", async () => {
  const cache = memoryCache();
  await cache.write({ [KEYS.pending]: new Uint8Array(3) });
  expect(await readPending(cache)).toBeUndefined();
});

/** Shards made up from a number, and how often each was fetched. */
async function shards(cache: Cache) {
  const fetched: number[] = [];
  return {
    fetched,
    async take(number: number) {
      const bytes = Uint8Array.of(number, 0, 7, 0);
      return shardOf(cache, await sha256(bytes), async () => {
        fetched.push(number);
        return bytes;
      });
    },
  };
}

test("a shard is fetched once, and the least recently used is given up", async () => {
  const { take, fetched } = await shards(memoryCache());
  expect(await take(0)).toEqual(Uint16Array.of(0, 7));
  for (let i = 1; i < KEPT_SHARDS; i++) await take(i);
  await take(0); // used again: now 1 is the oldest
  await take(KEPT_SHARDS);
  expect(fetched).toEqual([...Array(KEPT_SHARDS + 1).keys()]);
  await take(0);
  await take(1);
  expect(fetched.slice(KEPT_SHARDS + 1)).toEqual([1]);
});

test("a shard that the disk damaged is fetched again", async () => {
  const cache = memoryCache();
  const { take, fetched } = await shards(cache);
  await take(5);
  await cache.write({ [KEYS.shard(await sha256(Uint8Array.of(5, 0, 7, 0)))]: Uint8Array.of(9, 9, 9, 9) });
  expect(await take(5)).toEqual(Uint16Array.of(5, 7));
  expect(fetched).toEqual([5, 5]);
});
