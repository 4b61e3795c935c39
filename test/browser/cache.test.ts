import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type ServedModule, serveModule } from "./bundle.ts";
import type {} from "./cache-page.ts";
import { launchChromium } from "./launch.ts";

/** What a volunteer keeps between visits, in a real IndexedDB. */

let browser: Browser;
let served: ServedModule;
let page: Page;

beforeAll(async () => {
  served = await serveModule(join(import.meta.dirname, "cache-page.ts"));
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  await served.close();
});

beforeEach(async () => {
  page = await (await browser.newContext()).newPage();
  await page.goto(served.url);
});

test("weights and the key outlive a reload, and no script can export a key that is not to be carried", async () => {
  await page.evaluate(() => cachePage.writeWeights([1, -0.5]));
  const before = await page.evaluate(() => cachePage.identity());
  await page.reload();
  const replica = await page.evaluate(async () => {
    const found = await cachePage.get("replica");
    return JSON.stringify(found, (_, value) => (value instanceof Float32Array ? [...value] : value));
  });
  expect(JSON.parse(replica)).toEqual({ weights: [1, -0.5], version: 3 });
  expect(await page.evaluate(() => cachePage.identity())).toEqual(before);
  expect(before.extractable).toBe(false);
  const portable = await page.evaluate(() => cachePage.identity("c", true));
  expect(portable.extractable).toBe(true);
  await page.reload();
  expect(await page.evaluate(() => cachePage.identity("c", true))).toEqual(portable);
});

test("a write is whole or not at all, and undefined deletes", async () => {
  await page.evaluate(() => cachePage.write({ first: 0, third: 3 }));
  await expect(page.evaluate(() => cachePage.writeFunction())).rejects.toThrow(/could not be cloned/);
  expect(await page.evaluate(() => cachePage.get("first"))).toBe(0);
  await page.evaluate(() => cachePage.write({ third: undefined, fourth: 4 }));
  expect(await page.evaluate(() => cachePage.get("third"))).toBeUndefined();
  expect(await page.evaluate(() => cachePage.get("fourth"))).toBe(4);
});

test("a new run frees what the server's earlier ones left, and nobody else's", async () => {
  await page.evaluate(() => cachePage.write({ first: 1 }));
  await page.reload(); // a database in use goes when its page does
  await page.evaluate(() => cachePage.replaceRun());
  await expect
    .poll(() => page.evaluate(() => cachePage.databases()))
    .toEqual([
      `murmuration https://other.test ${"a".repeat(64)}`,
      `murmuration https://run.test ${"b".repeat(64)}`,
    ]);
});
