import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { launchChromium } from "./launch.ts";
import { buildPages, type FakeSite, hostPage, removePages, serveSite } from "./pages-fixture.ts";

let dir: string;
let browser: Browser;
let site: FakeSite;
let host: FakeSite;
let page: Page;

beforeAll(async () => {
  [dir, browser] = await Promise.all([buildPages(), launchChromium()]);
});
afterAll(async () => {
  await browser.close();
  await removePages(dir);
});
beforeEach(async () => {
  site = await serveSite(dir);
  host = await serveSite(dir, hostPage(site.origin));
  page = await (await browser.newContext()).newPage();
  await page.goto(`${host.origin}/host`);
});
afterEach(async () => {
  await page.context().close();
  await Promise.all([site.close(), host.close()]);
});

const press = (name: string) => page.getByRole("button", { name }).click();
const frame = () => page.frameLocator("iframe");
const below = async () => (await page.getByText("Some text after.").boundingBox())?.y;

describe("the embed", () => {
  it("fetches nothing but its loader until the visitor says yes, and then frames the volunteer", async () => {
    await press("Help train our reader");
    await page.getByText("on about 40% of this device’s time").waitFor();
    expect(site.asked).toEqual(["/embed.js"]);
    await press("Yes, help train");
    await frame().getByText("Training on a passage").waitFor();
    expect(site.asked).toContain("/frame");
    expect(site.asked).toContain("/script");
    expect(host.asked.filter((path) => path !== "/favicon.ico")).toEqual(["/host"]);
  });

  it("takes no for an answer", async () => {
    await press("Help train our reader");
    await press("No thanks");
    await page.getByRole("button", { name: "Help train our reader" }).waitFor();
    expect(site.asked).toEqual(["/embed.js"]);
  });

  it("moves nothing on the page, and goes back to its button when stopped", async () => {
    const before = await below();
    await press("Help train our reader");
    expect(await below()).toBe(before);
    await press("Yes, help train");
    await frame().getByText("Training on a passage").waitFor();
    expect(await below()).toBe(before);
    await frame().getByRole("button", { name: "Stop" }).click();
    await page.getByRole("button", { name: "Help train our reader" }).waitFor();
    expect(await page.locator("iframe").count()).toBe(0);
    expect(await below()).toBe(before);
  });

  it("tells the host page what goes on, and heeds no other window's word", async () => {
    await page.evaluate(() => {
      document.addEventListener("murmuration", (event) => {
        if (event instanceof CustomEvent) document.title = JSON.stringify(event.detail);
      });
    });
    await press("Help train our reader");
    await press("Yes, help train");
    await expect.poll(() => page.title()).toContain('"phase":"training"');
    await page.evaluate(() => postMessage({ murmuration: 1, type: "stopped" }, "*"));
    await page.evaluate(() => new Promise((heard) => setTimeout(heard))); // the message has been delivered
    expect(await page.locator("iframe").count()).toBe(1);
  });

  it("wears the theme that the tag names", async () => {
    host.hostPage = hostPage(site.origin, 'data-theme="dark"');
    await page.goto(`${host.origin}/host`);
    await press("Help train our reader");
    await press("Yes, help train");
    await frame().locator("html[data-theme=dark]").waitFor();
  });
});

describe("the frame, opened by itself", () => {
  it("asks before anything runs", async () => {
    await page.goto(`${site.origin}/frame`);
    await page.getByText("never your files").waitFor();
    expect(site.asked).not.toContain("/script");
    await press("Yes, help train");
    await page.getByText("Training on a passage").waitFor();
  });
});
