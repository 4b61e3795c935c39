import { expect, test } from "vitest";
import { BlockCache } from "./block-cache.ts";
import type { BlockAt } from "./nats-blocks.ts";

const MIB = 1024 * 1024;

/** A log of blocks of two records, and of an empty one now and then, that counts what is asked of it. */
function world(blocks: number, recordBytes = 4) {
  const asked: number[] = [];
  const log = {
    blocks: [] as BlockAt[],
    broken: new Set<number>(),
    async read({ seq, first, records }: BlockAt) {
      asked.push(seq);
      await Promise.resolve();
      if (log.broken.has(seq)) throw new Error(`${seq} is broken`);
      return Array.from({ length: records }, (_, i) => new Uint8Array(recordBytes).fill(first + i));
    },
  };
  for (let seq = 1, first = 0; seq <= blocks; seq++) {
    const records = seq % 5 === 0 ? 0 : 2;
    log.blocks.push({ seq, first, records, check: 0, taken: 0 });
    first += records;
  }
  return { log, asked, cache: new BlockCache(log) };
}

const settle = () => new Promise(setImmediate);

test("records come from their blocks, each of which is asked for once", async () => {
  const { asked, cache } = world(7);
  for (let sequence = 0; sequence < 12; sequence++) expect((await cache.record(sequence))[0]).toBe(sequence);
  await Promise.all([cache.record(3), cache.record(3), cache.record(10)]);
  expect(asked).toEqual([1, 2, 3, 4, 6, 7]);
  await expect(cache.record(12)).rejects.toThrow("no record 12");
});

test("blocks that come next are asked for at once, a few at a time, and nothing beyond the end", async () => {
  const { asked, cache } = world(100);
  let again = cache.prepare(0);
  expect(asked).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 16]);
  expect(again).toBeGreaterThan(8);
  for (let sequence = 0; sequence < 160; sequence++) {
    if (sequence >= again) again = cache.prepare(sequence);
    await cache.record(sequence);
  }
  expect(asked).toHaveLength(80);
  expect(new Set(asked).size).toBe(80);
  expect(cache.prepare(160)).toBe(Number.POSITIVE_INFINITY);
});

test("the least recently used go where too many bytes are held", async () => {
  const { asked, cache } = world(30, 4 * MIB);
  for (let sequence = 0; sequence < 40; sequence += 2) {
    await cache.record(sequence);
    await cache.record(0);
    expect(cache.bytes).toBeLessThanOrEqual(64 * MIB);
  }
  expect(asked.filter((seq) => seq === 1)).toHaveLength(1);
  await cache.record(2);
  expect(asked.filter((seq) => seq === 2)).toHaveLength(2);
});

test("what cannot be read is asked for again, and fails nobody who only came near", async () => {
  const { log, asked, cache } = world(4);
  log.broken.add(2);
  cache.prepare(0);
  await settle();
  expect((await cache.record(0))[0]).toBe(0);
  await expect(cache.record(2)).rejects.toThrow("2 is broken");
  log.broken.clear();
  expect((await cache.record(2))[0]).toBe(2);
  expect(asked.filter((seq) => seq === 2)).toHaveLength(3);
});
