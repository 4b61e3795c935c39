import { expect, test } from "vitest";
import { memoryCache } from "./cache.ts";
import { KEYS } from "./entries.ts";
import { TileMemory } from "./tiles.ts";

const shape = { layers: 2, heads: 4, width: 64, context: 64, vocabulary: 256 };
const tiles = { NN: "a", NT: "b", TN: "c" };

test("tiles come back on the adapter and for the model that they were found for, and nowhere else", async () => {
  const cache = memoryCache();
  await new TileMemory(cache, shape).remember("acme", tiles);
  expect(await new TileMemory(cache, shape).recall("acme")).toEqual(tiles);
  expect(await new TileMemory(cache, shape).recall("other")).toBeUndefined();
  expect(await new TileMemory(cache, { ...shape, width: 128 }).recall("acme")).toBeUndefined();
});

test("keeps the newest of an adapter, a few adapters, and nothing once forgotten", async () => {
  const memory = new TileMemory(memoryCache(), shape);
  const newer = { ...tiles, NN: "z" };
  await memory.remember("acme", tiles);
  await memory.remember("acme", newer);
  expect(await memory.recall("acme")).toEqual(newer);
  for (let i = 0; i < 8; i++) await memory.remember(`gpu ${i}`, tiles);
  expect(await memory.recall("acme")).toBeUndefined();
  expect(await memory.recall("gpu 7")).toEqual(tiles);
  await memory.forget();
  expect(await memory.recall("gpu 7")).toBeUndefined();
});

test.each([[7], [[7, null, {}]], [[{ where: "acme 2×4×64×64×256", tiles: { NN: 1, NT: "b", TN: "c" } }]]])(
  "what is no remembrance counts as none: %j",
  async (stored) => {
    const cache = memoryCache();
    await cache.write({ [KEYS.tiles]: stored });
    const memory = new TileMemory(cache, shape);
    expect(await memory.recall("acme")).toBeUndefined();
    await memory.remember("acme", tiles);
    expect(await memory.recall("acme")).toEqual(tiles);
  },
);
