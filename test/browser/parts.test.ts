import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { exampleOverview } from "./example-operator.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

/** Parts of a page that are fetched when they are needed, and do not come. */
let site: FakeSite;
let page: Page;
let retire: () => void;

visitSite((visit) => {
  ({ site, page, retire } = visit);
});

const MISSING = "This part could not be loaded.";
const press = (name: string) => page.getByRole("button", { name }).click();

/** Lets no script of this name through, as a blocker or a lost connection does. Returns how to let it through again. */
async function block(script: string): Promise<() => Promise<void>> {
  const address = new RegExp(`/assets/${script}[^/]*\\.js$`);
  await page.route(address, (route) => route.abort());
  return () => page.unroute(address);
}

/** The place says what is missing; a try is made in vain, and then one that succeeds. */
async function isMissedAndFound(place: string, script: string, unblock: () => Promise<void>, found: string) {
  const missing = page.locator(place).first().locator(".missing");
  await missing.getByText(MISSING).waitFor();
  expect(await missing.getByRole("button", { name: "Reload the page" }).count()).toBe(1);
  const asked = page.waitForRequest(new RegExp(script));
  await missing.getByRole("button", { name: "Try again" }).click();
  await asked;
  await missing.getByText(MISSING).waitFor();
  await unblock();
  await missing.getByRole("button", { name: "Try again" }).click();
  await page.locator(found).first().waitFor();
  expect(await missing.count()).toBe(0);
}

describe("a page whose own script does not come", () => {
  /** Passes the seconds for which a page waits before it says so. Returns what lets time pass as ever. */
  const passTime = async () => {
    const devtools = await page.context().newCDPSession(page);
    const rate = (playbackRate: number) => devtools.send("Animation.setPlaybackRate", { playbackRate });
    await devtools.send("Animation.enable");
    await rate(1_000);
    return async () => {
      await rate(1);
      await devtools.detach();
    };
  };
  const words = () => page.getByText("A part of this page has not come.");

  it.each(["", "status", "operator", "playground", "how", "bench", "frame"])("/%s says so", async (path) => {
    await page.route(/\/assets\/[^/]*\.js$/, (route) => route.abort());
    const asEver = await passTime();
    await page.goto(`${site.origin}/${path}`);
    await words().waitFor();
    await asEver();
  });

  it("says nothing of it while it may still come, and afterwards: the control", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route(/\/assets\/[^/]*\.js$/, async (route) => {
      await promise;
      await route.continue();
    });
    await page.goto(`${site.origin}/status`, { waitUntil: "commit" });
    await words().waitFor({ state: "attached" });
    expect(await words().isVisible()).toBe(false);
    resolve();
    await page.locator("h1").waitFor();
    expect(await words().count()).toBe(0);
  });
});

describe("a part that does not come says so in its place, and comes when it is asked for again", () => {
  it("the curve on the volunteer's page", async () => {
    const unblock = await block("uPlot");
    await page.goto(site.origin);
    await isMissedAndFound("figure.chart", "uPlot", unblock, ".uplot canvas");
  });

  it("the curves on the operator's page", async () => {
    site.overview = exampleOverview();
    const unblock = await block("uPlot");
    await page.goto(`${site.origin}/operator`);
    await isMissedAndFound("figure.chart", "uPlot", unblock, ".uplot canvas");
  });

  it("the look inside", async () => {
    const unblock = await block("panel");
    await page.goto(site.origin);
    await press("Start training");
    await page.getByText("A look inside").click();
    await isMissedAndFound("details.inside", "panel", unblock, "details.inside h3");
  });

  it("the names", async () => {
    const unblock = await block("people");
    await page.goto(site.origin);
    await page.getByText("Names, and your data").click();
    await isMissedAndFound("details.inside", "people", unblock, ".people");
  });

  it("the proof of what was sent", async () => {
    const unblock = await block("line");
    await page.goto(site.origin);
    await press("Start training");
    await isMissedAndFound("section.card", "line", unblock, ".proof");
  });
});

describe("a Worker's script that does not come", () => {
  it("can be asked for again where it was to write", async () => {
    const unblock = await block("scripted-writer");
    await page.goto(`${site.origin}/playground`);
    await page.getByRole("button", { name: /Load/ }).click();
    await page.getByText("the script could not be loaded").waitFor();
    await unblock();
    await press("Try again");
    await page.getByRole("button", { name: "Write" }).first().waitFor();
  });

  it("can be asked for again where it was to learn", async () => {
    const unblock = await block("worker");
    await page.goto(`${site.origin}/how`);
    await page.locator("section.workspace button.primary").click();
    await page.getByText("the script could not be loaded").waitFor();
    await unblock();
    await press("Try again");
    await page.getByRole("button", { name: "One step" }).waitFor();
  });

  it("can be asked for again where it was to train", async () => {
    const unblock = await block("scripted-worker");
    await page.goto(site.origin);
    await press("Start training");
    await page.getByText("could not be loaded").first().waitFor();
    await unblock();
    await press("Try again");
    await page.getByText("Training on a passage").waitFor();
  });
});

describe("a Worker that never says a word", () => {
  it("is given up, and the page offers to try again", async () => {
    retire();
    await page.addInitScript(() => {
      Object.assign(window, {
        Worker: class extends EventTarget {
          postMessage() {}
          terminate() {}
        },
      });
    });
    await page.clock.install();
    await page.goto(site.origin);
    await press("Start training");
    await page.getByText("Starting…").waitFor();
    for (let i = 0; i < 4; i++) await page.clock.runFor(16_000);
    await page.getByText("the script did not begin").waitFor();
    await page.getByRole("button", { name: "Try again" }).waitFor();
  });
});

describe("a browser whose language is none", () => {
  const speak = (language: string) => {
    retire();
    return page.addInitScript((tag) => {
      Object.defineProperty(Navigator.prototype, "language", { get: () => tag, configurable: true });
    }, language);
  };

  it.each(["C", "en-US@posix"])("%s: the curves are drawn all the same", async (language) => {
    await speak(language);
    await page.goto(site.origin);
    await page.locator(".uplot canvas").waitFor();
    site.overview = exampleOverview();
    await page.goto(`${site.origin}/operator`);
    await page.locator(".uplot canvas").first().waitFor();
    await page.goto(`${site.origin}/status`);
    await page.getByRole("heading", { name: "Moby Dick, nightly" }).waitFor();
  });

  it("the control: Intl takes no such language", async () => {
    await speak("en-US@posix");
    await page.goto(`${site.origin}/how`);
    const thrown = await page.evaluate(() => {
      try {
        return String(new Intl.NumberFormat(navigator.language));
      } catch (error) {
        return String(error);
      }
    });
    expect(thrown).toContain("RangeError");
  });
});
