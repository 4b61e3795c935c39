import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { chromiumFlags } from "./flags.ts";

/**
 * Pages that a browser keeps, frozen, while their visitor is elsewhere, and hands back as they were: with a real server
 * that audits every newcomer, and another volunteer that moves the run on meanwhile.
 */
let run: SmallRun;
let browser: Browser;
let elsewhere: Server;
let away: string;

beforeAll(async () => {
  elsewhere = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>Elsewhere</title>");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  away = `http://localhost:${(elsewhere.address() as AddressInfo).port}`;
  [run, browser] = await Promise.all([
    startSmallRun(
      {
        model: { layers: 1, heads: 2, width: 32, context: 32 },
        batch: 4,
        steps: 10,
        learningRate: 0.001,
        // A ticket's steps are all done, however busy the machine: a part of them that gains nothing may be blamed for that.
        rounds: "turns",
        trust: { auditShare: 1 },
      },
      "--volunteers",
      "1",
    ),
    chromium.launch({
      executablePath: inject("chromium"),
      args: chromiumFlags(),
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    }),
  ]);
});
afterAll(async () => {
  await browser.close();
  elsewhere.closeAllConnections();
  elsewhere.close();
  await run.end();
});

async function begin(opened?: Page): Promise<Page> {
  const page = opened ?? (await (await browser.newContext()).newPage());
  await page.goto(run.server.origin);
  await page.getByRole("button", { name: "Start training" }).click();
  await sends(page, 1);
  return page;
}
/** Tokens sent since the page was opened, as it says. */
const sent = (page: Page) =>
  page
    .getByRole("definition")
    .filter({ hasText: "tokens sent since" })
    .evaluate((definition) => Number.parseInt((definition.textContent ?? "").replaceAll(",", ""), 10));
async function sends(page: Page, more: number): Promise<void> {
  const before = await sent(page);
  await expect.poll(() => sent(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(before + more);
}
const moves = async (versions: number) => {
  const { version } = await run.server.status();
  await run.server.until((now) => now.version >= version + versions);
};
const bad = async () => {
  const metrics = new TextDecoder().decode(await run.server.get("/metrics"));
  return Number(/audits_total\{verdict="bad"\} (\d+)/.exec(metrics)?.[1]);
};

it("a volunteer that goes away and back, again and again, trains on and is never found bad", async () => {
  const before = await bad();
  const page = await begin();
  await page.evaluate(() => {
    Object.assign(window, { kept: 0 });
    addEventListener("pageshow", ({ persisted }) => {
      Object.assign(window, { kept: Reflect.get(window, "kept") + (persisted ? 1 : 0) });
    });
  });
  for (const versions of [1, 6, 2, 8]) {
    await page.goto(away);
    await moves(versions); // more than 4, and what was under way comes too late
    await page.evaluate(() => setTimeout(() => history.back()));
    await page.waitForURL(`${run.server.origin}/`, { waitUntil: "commit" }); // a page that was kept loads nothing
    await sends(page, 1);
    expect(await page.getByText(/Training failed|did not come out right/).count()).toBe(0);
  }
  expect(await page.evaluate(() => Reflect.get(window, "kept"))).toBe(4);
  expect(await bad()).toBe(before);
  await page.context().close();
});

it("a frozen tab goes on where it was when it is thawed", async () => {
  const before = await bad();
  const page = await begin();
  const session = await page.context().newCDPSession(page);
  for (const versions of [2, 7]) {
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await moves(versions);
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await sends(page, 1);
  }
  expect(await bad()).toBe(before);
  await page.context().close();
});

it("a page that is kept elsewhere does not keep the next one from training", async () => {
  const page = await begin();
  await page.goto(away);
  await page.goto(run.server.origin);
  await expect.poll(() => sent(page), { timeout: 60_000 }).toBeGreaterThan(0);
  await page.context().close();
});

it("a tab that says nothing keeps no other from training, and then waits for that one", async () => {
  const page = await (await browser.newContext()).newPage();
  // So it neither hears the other's question nor answers, as one that its browser has frozen, or that has died.
  await page.addInitScript(() => Reflect.deleteProperty(window, "BroadcastChannel"));
  await begin(page);
  const other = await page.context().newPage();
  await other.goto(run.server.origin);
  await expect.poll(() => sent(other), { timeout: 60_000 }).toBeGreaterThan(0);
  await page.getByText("Another tab is training").first().waitFor();
  await sends(other, 1);
  await page.context().close();
});
