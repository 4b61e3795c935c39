import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import type { Tile, TileNames } from "../../model/engine/webgpu/kernels/tile.ts";
import { type ServedModule, serveModule } from "./bundle.ts";
import type {} from "./endurance-page.ts";
import { chromiumFlags } from "./flags.ts";

/** WebGPU's trainer over a long time, over several visits, and when its device goes. */

let browser: Browser;
let served: ServedModule;
let page: Page;

beforeAll(async () => {
  served = await serveModule(join(import.meta.dirname, "endurance-page.ts"));
  const args = [...chromiumFlags({ webgpu: true }), "--js-flags=--expose-gc", "--enable-precise-memory-info"];
  browser = await chromium.launch({ executablePath: inject("chromium"), args });
  page = await browser.newPage();
  await page.goto(served.url);
});
afterAll(async () => {
  await browser.close();
  await served.close();
});

const options = {
  shape: { layers: 1, heads: 1, width: 8, context: 8, vocabulary: 16 },
  optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 },
  batch: 2,
};
/** A small one: it compiles in a moment. */
const quad: Tile = { kind: "quad", m: 16, n: 4, depth: 1, down: 1, across: 1 };
const tiles = { NN: quad, NT: quad, TN: quad };

test("1,000 steps make no object on the device, leave the heap flat, and go the same way again", async () => {
  const { tickets, ...whole } = await page.evaluate(
    ([options, tiles]) => globalThis.endurance.endure(options, tiles, 100),
    [options, tiles] as const,
  );
  expect(whole).toMatchObject({ buffers: 0, groups: 0, pipelines: 0, quads: true });
  const [before, after] = whole.heap;
  expect(before).toBeGreaterThan(1e5);
  expect(after! - before!).toBeLessThan(1e6); // a kilobyte a step would show
  expect(whole.losses).toHaveLength(1_000);
  expect(whole.losses.at(-1)!).toBeLessThan(whole.losses[0]! - 0.1);
  expect(tickets[0]!.losses).toEqual(whole.losses.slice(0, 100));
  expect(tickets[1]).toEqual(tickets[0]);
});

test("what a visit remembers, the next one takes without a probe", async () => {
  const visit = (names?: TileNames) =>
    page.evaluate(([options, names]) => globalThis.endurance.visit(options, names), [
      options,
      names,
    ] as const);
  const first = await visit();
  expect(first.adapters).toEqual([first.remembrance.adapter]);
  expect(first.remembrance.adapter).toMatch(/swiftshader/i);
  const second = await visit(first.remembrance.tiles);
  expect(second.remembrance).toEqual(first.remembrance);
  expect(second.pipelines).toBeLessThan(first.pipelines);
});

test("A18: a device that goes in the middle of a ticket takes every call with it, and none hangs", async () => {
  const codes = await page.evaluate(([options, tiles]) => globalThis.endurance.lose(options, tiles), [
    options,
    tiles,
  ] as const);
  expect(codes).toEqual(["device-lost", "device-lost", "device-lost"]);
});
