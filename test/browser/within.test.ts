import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { styleOf, USUAL } from "../../client/dashboard/embedding/snippet.ts";
import type { SwarmElement } from "../../client/embed/messages.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { HttpVolunteer, smallDelta } from "../harness/http-volunteer.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";

/** The tag on pages of another origin, with a real server and run behind it. */
const SETTINGS = {
  name: "A small run",
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  evaluateWindows: 32,
};

let run: SmallRun;
let browser: Browser;
let blog: Server;
let origin: string;
let page: Page;
/** What the next page of the blog is, and its policy. */
let body: string;
let policy: string;
/** What the page threw, and what its policy or the browser forbade. */
let failures: string[];
/** The paths that the page, its frame and their Workers asked for. */
let asked: string[];

const tag = (attributes = "") =>
  `<script defer src="${run.server.origin}/embed.js" data-share="1" ${attributes}></script>`;

const serveBlog = (): Promise<Server> => {
  const site = createServer((_, response) => {
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
    });
    response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width">
      <title>A blog</title><main><h1>A blog</h1>${body}<p id="below">Some text below.</p></main>`);
  });
  return new Promise((resolve) => site.listen(0, "127.0.0.1", () => resolve(site)));
};
/** Of the server's own site or, by default, of another: there Chromium denies the frame its storage. */
const originOf = (site: Server, host = "localhost") =>
  `http://${host}:${(site.address() as AddressInfo).port}`; // a TCP server that listens has one
const close = (site: Server) => {
  site.closeAllConnections();
  return new Promise((resolve) => site.close(resolve));
};

beforeAll(async () => {
  blog = await serveBlog();
  origin = originOf(blog);
  const named = [origin, originOf(blog, "127.0.0.1")].flatMap((one) => ["--embed-on", one]);
  [run, browser] = await Promise.all([startSmallRun(SETTINGS, ...named), launchChromium()]);
}, 60_000);
afterAll(async () => {
  await browser.close();
  await close(blog);
  await run.end();
});
beforeEach(async () => {
  const { origin: server } = run.server;
  policy = `default-src 'none'; script-src ${server}; frame-src ${server}; require-trusted-types-for 'script'`;
  body = tag();
  [failures, asked] = [[], []];
  page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(15_000);
  page.on("pageerror", (error) => failures.push(error.message));
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  page.on("websocket", (socket) => asked.push(socket.url()));
});
afterEach(() => page.context().close());

const OPEN = "Help train a language model";
const open = () => page.getByRole("button", { name: OPEN }).click();
const frame = () => page.frameLocator("iframe");
const agree = () => frame().getByRole("button", { name: "Yes, help train" }).click();
const swarm = () => page.locator("murmuration-swarm");
const status = () => swarm().evaluate((element: SwarmElement) => element.status());
/** Writes down what the element says from now on. */
const listen = () =>
  swarm().evaluate((element) => {
    const heard: string[] = [];
    for (const name of ["consent", "state", "step", "credit", "error", "blocked"]) {
      element.addEventListener(name, (event) => {
        if (event instanceof CustomEvent) heard.push(`${name} ${JSON.stringify(event.detail)}`);
      });
    }
    Object.assign(window, { heard });
  });
const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard);
/** Deltas sent. */
const uploads = () => asked.filter((path) => path === ROUTES.deltas).length;
/** Two more deltas: the first may have been on its way. */
const trains = () => {
  const before = uploads();
  return expect.poll(uploads, { timeout: 20_000 }).toBeGreaterThan(before + 1);
};

describe("the box", () => {
  it("trains under a strict policy, once the visitor said yes within the frame", async () => {
    await page.goto(origin);
    await open();
    await frame().getByText("Help train “A small run”").waitFor();
    // Before the yes: no Worker, no socket, no byte of the model.
    expect(asked.filter((path) => /worker|\.wasm$|^wss?:|^\/api\/(?!run$)/.test(path))).toEqual([]);
    expect(page.workers()).toHaveLength(0);
    await agree();
    await trains();
    await expect.poll(async () => (await status()).merged, { timeout: 20_000 }).toBeGreaterThan(0);
    expect(failures).toEqual([]);
    await page.reload(); // without storage nothing is remembered, so it asks again
    await open();
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
  });

  it("tells the site what goes on, keeps to its allowance, and ends when the visitor takes the yes back", async () => {
    body = tag('data-budget="0.5MB"');
    await page.goto(origin);
    await listen();
    await open();
    await agree();
    await frame().getByText("data allowance for today is used up").first().waitFor({ timeout: 60_000 });
    const names = (await heard()).map((event) => event.split(" ")[0]);
    expect([...new Set(names)].sort()).toEqual(["consent", "credit", "state", "step"]);
    expect(await heard()).toContain('consent {"given":true}');
    await frame().getByRole("button", { name: "Forget me" }).click();
    await page.getByRole("button", { name: OPEN }).waitFor();
    expect(await heard()).toContain('consent {"given":false}');
    await expect.poll(() => page.frames().length).toBe(1);
    expect(page.workers()).toHaveLength(0);
  });

  it("obeys the site's methods: pause, start, stop and revoke", async () => {
    await page.goto(originOf(blog, "127.0.0.1"));
    await open();
    await agree();
    await trains();
    await swarm().evaluate((element: SwarmElement) => element.pause());
    await frame().getByText("Paused by the site you are on.").first().waitFor();
    await expect.poll(async () => (await status()).state).toBe("paused");
    // What was on its way may still come, and no more, while others make versions.
    const before = uploads();
    const { parameters } = await (await fetch(run.server.origin + ROUTES.manifest)).json();
    const other = await HttpVolunteer.create((path, init) => fetch(run.server.origin + path, init));
    for (let i = 0; i < 4; i++) await other.upload(await other.ticket(), smallDelta(parameters, i));
    expect(uploads()).toBeLessThanOrEqual(before + 1);
    await swarm().evaluate((element: SwarmElement) => element.start());
    await trains();
    const kept = () =>
      page
        .frames()[1]
        ?.evaluate(async () => Object.keys(localStorage).length + (await indexedDB.databases()).length);
    expect(await kept()).toBeGreaterThan(0);

    await swarm().evaluate((element: SwarmElement) => element.stop());
    await page.getByRole("button", { name: OPEN }).waitFor();
    await expect.poll(() => page.workers().length + page.frames().length).toBe(1);
    expect((await status()).state).toBe("stopped");

    await open(); // agreed before, it goes on without a question
    await trains();
    await swarm().evaluate((element: SwarmElement) => element.revoke());
    await expect.poll(() => page.workers().length).toBe(0);
    await open();
    await frame().getByRole("button", { name: "Yes, help train" }).waitFor();
    expect(await kept()).toBe(0);
  });

  it("wears the colours that the tag names, whatever the visitor's system has", async () => {
    const ground = async (theme: string) => {
      body = tag(`data-theme="${theme}"`);
      await page.goto(origin);
      await open();
      await frame().getByText("Help train “A small run”").waitFor();
      const inner = frame().locator("body");
      const of = (element: Element) => getComputedStyle(element).backgroundColor;
      return [await swarm().evaluate(of), await inner.evaluate(of)];
    };
    await page.emulateMedia({ colorScheme: "light" });
    const light = await ground("auto");
    const dark = await ground("dark");
    expect(dark.filter((colour) => light.includes(colour))).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground("auto")).toEqual(dark);
    expect(await ground("light")).toEqual(light);
  });

  it("can be worked by the keyboard alone, and axe finds no fault in it", async () => {
    await page.goto(origin);
    await page.getByRole("button", { name: OPEN }).waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const tabTo = async (name: string) => {
      const button = frame().getByRole("button", { name, exact: true });
      await button.waitFor();
      for (let i = 0; i < 20; i++) {
        if (await button.evaluate((one) => one === document.activeElement && document.hasFocus())) return;
        await page.keyboard.press("Tab");
      }
      throw new Error(`the Tab key does not reach ${name}`);
    };
    await looksRight();
    await tabTo("Yes, help train");
    await page.keyboard.press("Enter");
    await trains();
    await looksRight();
    await tabTo("Pause");
    await page.keyboard.press("Space");
    await frame().getByText("Paused by you.").first().waitFor();
    await tabTo("Stop");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: OPEN }).waitFor();
    await expect.poll(() => page.workers().length).toBe(0);
  });
});

/** No fault in light and dark, and no sideways scroll, on the page or in the frame. */
async function looksRight(): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [360, 1_280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const part of page.frames()) {
        const over = () =>
          part.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        await expect.poll(over, { message: `${width} px` }).toBeLessThanOrEqual(0);
      }
    }
    expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  }
}

describe("where it may not be", () => {
  const refused = () => page.getByText("It could not be loaded on this page.").waitFor();

  it("is refused on a site that the server does not name, and says so", async () => {
    const stranger = await serveBlog();
    try {
      await page.goto(originOf(stranger));
      await listen();
      await open();
      await refused();
      expect(await heard()).toEqual(['blocked {"reason":"timeout"}']);
    } finally {
      await close(stranger);
    }
  });

  it("says once that the site's own policy forbids its frame, and makes no noise about it", async () => {
    policy = `default-src 'none'; script-src ${run.server.origin}; frame-src 'none'`;
    await page.goto(origin);
    await listen();
    for (let i = 0; i < 2; i++) {
      await open();
      await refused();
    }
    expect(await heard()).toEqual(['blocked {"reason":"policy"}']);
    // The browser's own word on it, and nothing of ours.
    expect(failures.filter((line) => !/violates the following Content Security Policy/.test(line))).toEqual(
      [],
    );
    expect(asked.filter((path) => path !== "/favicon.ico")).toEqual(["/", "/embed.js"]);
  });
});

/** How far everything has been moved so far, as the browser counts it (web.dev/cls), moved by input or not. */
const moved = () =>
  page.evaluate(
    () =>
      new Promise<number>((tell) => {
        const shifts = new PerformanceObserver((list) => {
          tell(list.getEntries().reduce((sum, entry) => sum + Number("value" in entry && entry.value), 0));
        });
        shifts.observe({ type: "layout-shift", buffered: true });
        // Where nothing has moved nobody tells: the frame after next, all that was drawn is counted.
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => tell(0))));
      }),
  );

describe.each([360, 1_280])("on a page of %i px", (width) => {
  /** Opens the blog with a loader that comes after all else was painted. */
  async function openSlowly(style: string): Promise<void> {
    policy = "";
    body = `<style>${style}</style>${tag()}`;
    await page.setViewportSize({ width, height: 800 });
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route("**/embed.js", async (route) => {
      await promise;
      await route.continue();
    });
    await page.goto(origin, { waitUntil: "commit" });
    await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
    resolve();
    await page.getByRole("button", { name: OPEN }).waitFor();
  }

  it("moves nothing, from a late loader to a stop, where the site keeps its room", async () => {
    await openSlowly(styleOf(run.server.origin, USUAL));
    await open();
    await agree();
    await trains();
    await frame().getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByRole("button", { name: OPEN }).waitFor();
    expect(await moved()).toBe(0);
  });

  it("moves what stands below where no room is kept: the control", async () => {
    await openSlowly("");
    expect(await moved()).toBeGreaterThan(0);
  });
});
