import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { SwarmElement } from "../../client/embed/messages.ts";
import { exampleStatus } from "./example-status.ts";
import { type FakeSite, hostPage, serveSite } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

/** What a real server cannot be made to show of the tag; the rest is in within.test.ts and box-look.test.ts. */
let site: FakeSite;
let host: FakeSite;
let page: Page;

visitSite((visit) => {
  ({ site, page } = visit);
});
beforeEach(async () => {
  host = await serveSite(inject("pages"), hostPage(site.origin));
  await visit();
});
afterEach(() => host.close());

/** Opens the host page, and writes every event of the element down. */
async function visit() {
  await page.goto(`${host.origin}/host`);
  await page
    .locator("murmuration-swarm")
    .first()
    .evaluate((element) => {
      const heard: string[] = [];
      for (const name of ["consent", "state", "step", "credit", "error", "blocked"]) {
        element.addEventListener(name, (event) => {
          if (event instanceof CustomEvent) heard.push(`${name} ${JSON.stringify(event.detail)}`);
        });
      }
      Object.assign(window, { heard });
    });
}
const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard.join("\n"));
const press = (name: string) => page.getByRole("button", { name }).click();
const frame = () => page.frameLocator("iframe");

describe("the embed", () => {
  it("tells the site what goes on, and heeds no other window's word", async () => {
    await press("Help train our reader");
    await frame().getByRole("button", { name: "Yes, help train" }).click();
    await frame().getByText("Training on a passage").waitFor();
    await expect.poll(heard).toContain('step {"step":4,"steps":10,"loss":3.27}');
    await expect.poll(heard).toContain('credit {"sent":5120,"merged":76800}');
    const status = await page
      .locator("murmuration-swarm")
      .evaluate((element: SwarmElement) => element.status());
    expect(status).toMatchObject({ state: "training", loss: 3.27, sent: 5_120, merged: 76_800 });
    await page.evaluate(() => postMessage({ murmuration: 1, type: "stopped" }, "*"));
    await page.evaluate(() => new Promise((delivered) => setTimeout(delivered)));
    expect(await page.locator("iframe").count()).toBe(1);
  });

  it("asks nothing of anyone when the run is finished", async () => {
    site.status = exampleStatus({ state: "finished" });
    await visit();
    await press("Help train our reader");
    await frame().getByText("Nothing is left to train").waitFor();
    expect(await frame().getByRole("button").count()).toBe(0);
  });

  it("says that it was blocked when something else speaks in the frame's place", async () => {
    await page.route("**/frame", (route) =>
      route.fulfill({ contentType: "text/html", body: "<p>proxy</p>" }),
    );
    await visit();
    await press("Help train our reader");
    await page.getByText("It could not be loaded on this page.").waitFor();
    expect(await heard()).toBe('blocked {"reason":"timeout"}');
  });

  it("lets a page place the element itself, as often as it likes", async () => {
    host.hostPage = hostPage(site.origin).replace(
      "<p>Some text before.</p>",
      '<murmuration-swarm label="First"></murmuration-swarm><murmuration-swarm label="Second"></murmuration-swarm>',
    );
    await visit();
    await page.getByRole("button", { name: "Second" }).waitFor();
    expect(await page.locator("murmuration-swarm").count()).toBe(2);
  });
});

describe("the frame, opened by itself", () => {
  it("asks before anything runs", async () => {
    await page.goto(`${site.origin}/frame`);
    await page.getByText("never sends your files").waitFor();
    expect(site.asked).not.toContain("/script");
    await press("Yes, help train");
    await page.getByText("Training on a passage").waitFor();
  });
});
