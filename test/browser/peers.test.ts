import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openSharingSite, type SharingSite } from "../harness/sharing-site.ts";
import { bundleModule, MODULE_PAGE } from "./bundle.ts";
import { launchChromium } from "./launch.ts";

/** Pages of one real Chromium that share over real data channels, on loopback, without STUN or TURN. */
const BYTES = new Uint8Array(2_000_000).map((_, i) => (i * 31 + (i >> 7)) % 256);
/** Milliseconds: what a bad peer costs, a few seconds, and what a busy machine adds. Of one without a limit nobody is rid. */
const FALLBACK_MS = 30_000;

let browser: Browser;
let files: Map<string, string | Uint8Array>;
let site: SharingSite;
const pages: Page[] = [];
beforeAll(async () => {
  browser = await launchChromium({ peers: true });
  files = await bundleModule(join(import.meta.dirname, "peers-page.ts"));
});
afterAll(() => browser.close());
beforeEach(async () => {
  site = await openSharingSite(BYTES, MODULE_PAGE, files, 64 * 1024);
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
  await site.close();
});

/** A page in a context of its own, as another visitor's would be. */
async function visit(): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  pages.push(page);
  await page.goto(site.origin);
  await page.waitForFunction(() => "peers" in window);
  return page;
}
const open = async (uploadRate = 20_000_000) => {
  const page = await visit();
  await page.evaluate((rate) => window.peers.open(rate), uploadRate);
  return page;
};
const bring = (page: Page) => page.evaluate(() => window.peers.bring());

describe("browsers share (K4 to K9)", () => {
  it("one joins, another is served by it: the server sends little more than once", async () => {
    const first = await open();
    expect((await bring(first)).hash).toBe(site.snapshot);
    expect(site.egress).toBe(BYTES.length);
    const second = await open();
    expect((await bring(second)).hash).toBe(site.snapshot);
    expect(site.egress).toBeLessThanOrEqual(1.5 * BYTES.length);
    const { down } = await second.evaluate(() => window.peers.traffic());
    expect(down).toBeGreaterThanOrEqual(BYTES.length / 2);
    expect(await first.evaluate(() => window.peers.connected())).toBe(1);
  });

  it.each(["lie", "stall"] as const)(
    "a page that would %s costs seconds, and no wrong byte passes",
    async (how) => {
      const bad = await visit();
      await bad.evaluate((what) => window.peers.misbehave(what), how);
      const honest = await open();
      const { hash, ms } = await bring(honest);
      expect(hash).toBe(site.snapshot);
      expect(ms).toBeLessThan(FALLBACK_MS);
      const asked = await bad.evaluate(() => window.peers.asked());
      expect(asked).toBeGreaterThan(0); // it had its chance
      expect(await honest.evaluate(() => window.peers.connected())).toBe(0);
    },
  );

  it("a page that leaves in the middle leaves the rest to the server", async () => {
    const first = await open(400_000);
    expect((await bring(first)).hash).toBe(site.snapshot);
    const second = await open();
    const coming = bring(second);
    await second.waitForFunction(() => window.peers.traffic().down > 100_000);
    await pages.splice(pages.indexOf(first), 1)[0]?.context().close();
    const { hash, ms } = await coming;
    expect(hash).toBe(site.snapshot);
    expect(ms).toBeLessThan(FALLBACK_MS);
  });

  it("a lost signalling socket comes back, and the channels stay open meanwhile", async () => {
    const [first, second] = [await open(), await open()];
    await bring(first);
    await bring(second);
    expect(await first.evaluate(() => window.peers.connected())).toBe(1);
    site.signalling.drop();
    expect(await first.evaluate(() => window.peers.connected())).toBe(1);
    await expect.poll(() => site.signalling.size, { timeout: 15_000 }).toBe(2);
    const third = await open();
    site.egress = 0;
    expect((await bring(third)).hash).toBe(site.snapshot);
    expect(site.egress).toBeLessThanOrEqual(BYTES.length / 2);
  });
});
