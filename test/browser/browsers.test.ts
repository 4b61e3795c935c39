import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SwarmElement } from "../../client/embed/messages.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { OPEN } from "./blog.ts";
import type { Driver } from "./driver.ts";
import { startFirefox } from "./firefox.ts";
import { areMissing } from "./programs.ts";
import { startWebKit } from "./webkit.ts";

/** Every page in the engines that are not Chromium's, against one real server and a small run. */
const BROWSERS = [
  { name: "Firefox", language: "en-US", missing: areMissing("Firefox", "firefox-esr"), start: startFirefox },
  {
    name: "WebKit",
    language: "C", // no language tag: Intl, which charts ask, throws at it
    missing: areMissing("WebKit", "webkit2gtk-driver", "xvfb", "xauth"),
    start: startWebKit,
  },
];

const SETTINGS = {
  name: "A small run",
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  snapshotEvery: 1,
  evaluateWindows: 32,
};

/** Milliseconds after which what a page does not show is missed: a processor that many share trains slowly. */
const PATIENCE_MS = 120_000;

let run: SmallRun;
let blog: Server;
/** Of another site than the server's, 127.0.0.1. */
let origin: string;

beforeAll(async () => {
  blog = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(`<!doctype html><html lang="en"><title>A blog</title><h1>A blog</h1>
      <script defer src="${run.server.origin}/embed.js" data-share="1"></script>`);
  });
  await new Promise<void>((resolve) => blog.listen(0, "127.0.0.1", resolve));
  origin = `http://localhost:${(blog.address() as AddressInfo).port}`;
  run = await startSmallRun(SETTINGS, "--embed-on", origin);
});
afterAll(async () => {
  blog.closeAllConnections();
  blog.close();
  await run.end();
});

describe.each(BROWSERS)("$name", ({ language, missing, start }) => {
  let browser: Driver;
  beforeAll(async () => {
    if (!missing) browser = await start();
  });
  afterAll(() => browser?.close());

  const shows = (words: string | RegExp) =>
    expect.poll(() => browser.text(), { timeout: PATIENCE_MS, interval: 100 }).toMatch(words);
  /** Charts in which something is drawn. */
  const drawn = () =>
    browser.evaluate(() => {
      const inked = (canvas: HTMLCanvasElement) => {
        const { data } = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height) ?? {};
        return data?.some((value, i) => i % 4 === 3 && value > 0) === true;
      };
      return [...document.querySelectorAll<HTMLCanvasElement>(".uplot canvas")].filter(inked).length;
    });
  const draws = (charts: number) =>
    expect.poll(drawn, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(charts);
  const merged = async () => Number(/(\d+) deltas? merged/.exec(await browser.text())?.[1] ?? 0);
  /** More than `before`; else what the page says is in the failure. */
  const merges = (before: number) =>
    expect
      .poll(async () => ((await merged()) > before ? "merged" : await browser.text()), {
        timeout: PATIENCE_MS,
      })
      .toBe("merged");

  it.skipIf(missing)(
    "trains from consent to a proven delta, and is the same volunteer after a reload",
    async () => {
      const { server } = run;
      await browser.open(server.origin);
      await shows("Help train “A small run”?");
      await browser.click("Start training");
      await browser.click(/Proven: your work is in version \d+/);
      await shows(/and that yours is number \d+, with \d+% of the weight/);
      await draws(1);
      await merges(0);
      const before = await merged();
      await browser.reload();
      await shows(/Start training|Pause/);
      if (!(await browser.text()).includes("Pause")) await browser.click("Start training");
      await merges(before);
      await draws(1);
    },
  );

  it.skipIf(missing)("trains in a frame on another site, once the visitor has said yes there", async () => {
    await browser.open(origin);
    expect(await browser.evaluate(() => navigator.language)).toBe(language);
    await browser.click(OPEN);
    await browser.inFrame(() => browser.click("Yes, help train"));
    const status = () =>
      browser.evaluate(() => {
        const now = document.querySelector<SwarmElement & Element>("murmuration-swarm")?.status();
        return now !== undefined && now.merged > 0 ? "merged" : JSON.stringify(now);
      });
    await expect.poll(status, { timeout: PATIENCE_MS }).toBe("merged");
  });

  it.skipIf(missing)(
    "signs an operator in, shows the curves, and lets the run be paused and resumed",
    async () => {
      await browser.open(await run.operatorLink());
      await shows("Signed in as Ann");
      await draws(1);
      await browser.click("Pause");
      await expect.poll(async () => (await run.server.status()).state).toBe("paused");
      await browser.click("Start");
      await expect.poll(async () => (await run.server.status()).state).toBe("running");
    },
  );

  it.skipIf(missing)("writes from the weights that it holds, and trains on at once afterwards", async () => {
    await browser.open(run.server.origin);
    await shows(/Sending your delta|Waiting for the next piece of work/);
    await browser.open(`${run.server.origin}/playground`);
    await browser.click(/^Load the model/);
    await shows(/Version [\d,]+ is loaded\./);
    await browser.click("Write");
    await shows("tokens a second");
    const written = await browser.evaluate(
      () => document.querySelector(".given")?.parentElement?.textContent ?? "",
    );
    expect(written.length).toBeGreaterThan(100);
    // The browser may keep the page that trained: it has let go of the lock, which it would else hold for 20 s.
    await browser.open(run.server.origin);
    await shows(/Another tab is training|Training on a passage/);
    expect(await browser.text()).not.toContain("Another tab is training");
  });

  it.skipIf(missing)("teaches a small network digits, and draws what it learns", async () => {
    await browser.open(`${run.server.origin}/how`);
    await browser.click("Let it learn");
    await browser.click("As fast as it can");
    await shows(/reads (?:[6-9]\d|100)(?:\.\d+)?%/);
    const filter = () =>
      browser.evaluate(() =>
        ["before the first step", "now"].map((when) =>
          document.querySelector<HTMLCanvasElement>(`[aria-label="Filter 1 ${when}"]`)?.toDataURL(),
        ),
      );
    const [first, now] = await filter();
    expect(first).toMatch(/^data:image\/png/);
    expect(now).not.toBe(first);
  });
});
