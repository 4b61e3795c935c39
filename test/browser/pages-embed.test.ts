import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import type { SwarmStatus } from "../../client/embed/messages.ts";
import { exampleStatus, type FakeSite, hostPage, serveSite } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

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
const call = (method: "start" | "pause" | "stop" | "revoke" | "status") =>
  page
    .locator("murmuration-swarm")
    .evaluate((element, name) => (element as unknown as Record<string, () => unknown>)[name]?.(), method);
const press = (name: string) => page.getByRole("button", { name }).click();
const frame = () => page.frameLocator("iframe");
const pressInside = (name: string) => frame().getByRole("button", { name, exact: true }).click();
/** Everything that only a volunteer asks for. */
const WORK = /worker|^\/script$|^\/api\/(?!run$)|snapshots|\.wasm$/;

async function train() {
  await press("Help train our reader");
  await pressInside("Yes, help train");
  await frame().getByText("Training on a passage").waitFor();
}

describe("the embed", () => {
  it("fetches nothing but its loader until its button is pressed", async () => {
    await page.getByText("It asks first").waitFor();
    expect(site.asked).toEqual(["/embed.js"]);
    expect(host.asked.filter((path) => path !== "/favicon.ico")).toEqual(["/host"]);
  });

  it("asks within the frame, and starts no Worker, socket or model before the visitor says yes there", async () => {
    await press("Help train our reader");
    await frame().getByText("Help train “Moby Dick, nightly”, for The Reading Room").waitFor();
    await frame().getByText("on about 40% of this device’s time").waitFor();
    expect(site.asked.filter((path) => WORK.test(path))).toEqual([]);
    expect(page.workers()).toHaveLength(0);
    await pressInside("Yes, help train");
    await frame().getByText("Training on a passage").waitFor();
    expect(site.asked).toContain("/script");
    expect(await heard()).toContain('consent {"given":true}');
  });

  it("begins on no word of the site's: not by its methods, nor by messages of its own making", async () => {
    await call("start");
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
    await call("start");
    await page.evaluate((origin) => {
      const inner = document.querySelector("murmuration-swarm")?.shadowRoot?.querySelector("iframe");
      for (const type of ["begin", "start", "resume", "consent", "agree"]) {
        inner?.contentWindow?.postMessage({ murmuration: 1, type, share: 1, given: true }, origin);
      }
    }, site.origin);
    // The frame has heard all of it once it answers a last word.
    await call("stop");
    await expect.poll(heard).toContain('"state":"stopped"');
    expect(site.asked.filter((path) => WORK.test(path))).toEqual([]);
    expect(await heard()).not.toContain('"given":true');
  });

  it("takes no for an answer", async () => {
    await press("Help train our reader");
    await pressInside("No thanks");
    await page.getByRole("button", { name: "Help train our reader" }).waitFor();
    expect(await heard()).toContain('consent {"given":false}');
    expect(site.asked.filter((path) => WORK.test(path))).toEqual([]);
  });

  it("tells the site what goes on, and heeds no other window's word", async () => {
    await train();
    await expect.poll(heard).toContain('step {"step":4,"steps":10,"loss":3.27}');
    await expect.poll(heard).toContain('credit {"sent":5120,"merged":76800}');
    const status = (await call("status")) as SwarmStatus;
    expect(status).toMatchObject({ state: "training", loss: 3.27, sent: 5_120, merged: 76_800 });
    await page.evaluate(() => postMessage({ murmuration: 1, type: "stopped" }, "*"));
    await page.evaluate(() => new Promise((delivered) => setTimeout(delivered)));
    expect(await page.locator("iframe").count()).toBe(1);
  });

  it("is paused and resumed by the site, but a visitor's own pause is theirs to end", async () => {
    await train();
    await call("pause");
    await frame().getByText("Paused by the site you are on.").first().waitFor();
    await call("start");
    await frame().getByText("Training on a passage").waitFor();
    await pressInside("Pause");
    await frame().getByText("Paused by you.").first().waitFor();
    await call("start");
    await call("pause");
    await call("start");
    await frame().getByText("Paused by you.").first().waitFor();
  });

  it("remembers a yes on the same site until it is withdrawn, and then leaves nothing behind", async () => {
    await train();
    await visit();
    await press("Help train our reader");
    await frame().getByText("Training on a passage").waitFor();
    const kept = () =>
      page
        .frames()[1]
        ?.evaluate(async () => Object.keys(localStorage).length + (await indexedDB.databases()).length);
    expect(await kept()).toBeGreaterThan(0);
    const inner = page.frames()[1];
    await pressInside("Forget me");
    await page.getByRole("button", { name: "Help train our reader" }).waitFor();
    expect(await heard()).toContain('consent {"given":false}');
    expect(inner?.isDetached()).toBe(true);
    await press("Help train our reader");
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
    expect(await kept()).toBe(0);
  });

  it("revokes for the site even where no frame is open", async () => {
    await train();
    await visit();
    await call("revoke");
    await press("Help train our reader");
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
  });

  it("rests when the site's allowance for the day is used up", async () => {
    host.hostPage = hostPage(site.origin, 'data-budget="5MB"');
    await visit();
    await press("Help train our reader");
    await frame().getByText("stops at 5.00 MB of traffic a day").waitFor();
    await pressInside("Yes, help train");
    await frame().getByText("data allowance for today is used up").first().waitFor();
    expect(await frame().getByRole("button", { name: "Train anyway" }).count()).toBe(0);
  });

  it("asks nothing of anyone when the run is finished", async () => {
    site.status = exampleStatus({ state: "finished" });
    await visit();
    await press("Help train our reader");
    await frame().getByText("Nothing is left to train").waitFor();
    expect(await frame().getByRole("button").count()).toBe(0);
  });

  it("says once that it was blocked, by a policy or by a frame that never speaks", async () => {
    host.hostPage = hostPage(site.origin).replace(
      "<title>",
      `<meta http-equiv="content-security-policy" content="script-src ${site.origin}; frame-src 'none'"><title>`,
    );
    await visit();
    await press("Help train our reader");
    await page.getByText("It could not be loaded on this page.").waitFor();
    await press("Help train our reader");
    await page.getByText("It could not be loaded on this page.").waitFor();
    expect(await heard()).toBe('blocked {"reason":"policy"}');
    host.hostPage = hostPage(site.origin);
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
    await page.getByText("never your files").waitFor();
    expect(site.asked).not.toContain("/script");
    await press("Yes, help train");
    await page.getByText("Training on a passage").waitFor();
  });
});
