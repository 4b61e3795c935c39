import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Speed } from "../../protocol/speeds.ts";
import { Speeds } from "./speeds.ts";

const DAY_MS = 86_400_000;
let directory: string;
let now: number;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-speeds-"));
  now = 20_000 * DAY_MS;
});
afterEach(() => rm(directory, { recursive: true }));

const open = () => Speeds.open(directory, () => now);
const speed = (changes: Partial<Speed> = {}): Speed => ({
  device: "webgpu",
  adapter: "acme one",
  software: false,
  size: "small",
  tokensPerSecond: 1_000,
  ofPeak: 0.2,
  ...changes,
});

it("shows the median of each device and size, the fastest first, and is read back", async () => {
  const speeds = await open();
  for (const tokensPerSecond of [900, 1_000, 5e8]) speeds.add([speed({ tokensPerSecond })]); // one of them lies
  speeds.add([speed({ device: "wasm", adapter: "4 threads", tokensPerSecond: 2_000, ofPeak: null })]);
  speeds.add([speed({ size: "anchor", tokensPerSecond: 100 })]);
  const { taken, rows } = speeds.table();
  expect(taken).toBe(true);
  expect(rows.map((row) => [row.adapter, row.size, row.tokensPerSecond, row.ofPeak, row.times])).toEqual([
    ["4 threads", "small", 2_000, null, 1],
    ["acme one", "small", 1_000, 0.2, 3],
    ["acme one", "anchor", 100, 0.2, 1],
  ]);
  await speeds.save();
  expect((await open()).table()).toEqual({ taken, rows });
});

it("keeps of each device the newest, of devices those measured last, and nothing for longer than half a year", async () => {
  const speeds = await open();
  for (let i = 0; i < 50; i++) speeds.add([speed({ tokensPerSecond: i })]);
  expect(speeds.table().rows).toMatchObject([{ times: 20, tokensPerSecond: 39.5 }]);
  for (let i = 0; i < 100; i++) speeds.add([speed({ adapter: `made up ${i}` })]);
  const names = speeds.table().rows.map(({ adapter }) => adapter);
  expect(names).toHaveLength(100);
  expect(names).not.toContain("acme one");
  now += 100 * DAY_MS;
  speeds.add([speed()]);
  now += 100 * DAY_MS;
  expect(speeds.table().rows.map(({ adapter }) => adapter)).toEqual(["acme one"]);
});

it("keeps of a sender nothing but the figures and the day, and forgets all at the operator's word", async () => {
  const speeds = await open();
  speeds.add([speed()]);
  await speeds.save();
  const file = join(directory, "speeds.json");
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({
    taken: true,
    kept: [{ speed: speed(), day: 20_000 }],
  });
  speeds.forget();
  speeds.take(false);
  await speeds.save();
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual({ taken: false, kept: [] });
  expect((await open()).taken).toBe(false);
  await writeFile(file, "{");
  expect((await open()).table()).toEqual({ taken: true, rows: [] });
});
