import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OPERATOR_ROUTES } from "../../protocol/operator.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { SITE_HEADER } from "../../protocol/site.ts";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
import type { ServerProcess } from "../harness/server-process.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";
import { tabTo } from "./tab-to.ts";

/**
 * A site that is named, with the tag that the dashboard makes for it, on another origin and under a policy of its own;
 * and strangers' words on the dashboard.
 */
const EVIL = [
  `<img src=x onerror="window.hit=1">`,
  `"><script>window.hit=1</script>`,
  `<svg/onload=window.hit=1>`,
  `javascript:window.hit=1//`,
  `'-window.hit=1-'`,
] as const;

let run: SmallRun;
let browser: Browser;
let server: ServerProcess;
let site: ReturnType<typeof createServer>;
let origin: string;
let body = "";
let style = "";
/** What the dashboard has the site allow, beside its own style. */
let policy = "";
let dashboard: Page;

beforeAll(async () => {
  site = createServer((_, response) => {
    const rules = `default-src 'none'; style-src 'unsafe-inline'; require-trusted-types-for 'script'; ${policy}`;
    response.writeHead(200, { "content-type": "text/html", "content-security-policy": rules });
    response.end(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>A blog</title><style>${style}</style>${body}`,
    );
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  [run, browser] = await Promise.all([
    startSmallRun({ name: EVIL[0], operator: EVIL[1] }, "--embed-on", origin),
    launchChromium(),
  ]);
  ({ server } = run);
  dashboard = await (await browser.newContext()).newPage();
  await dashboard.goto(server.link);
  await dashboard.getByRole("heading", { name: "On other sites" }).waitFor();
});
afterAll(async () => {
  await browser.close();
  site.closeAllConnections();
  site.close();
  await run.end();
});

const snippet = (name: string) => dashboard.getByRole("region", { name }).innerText();
/** A policy is a header, and a header is a line. */
const oneLine = (lines: string) => lines.replaceAll("\n", " ");
const row = () => dashboard.getByRole("row").filter({ hasText: origin });

it("a visitor of a named site trains by the pinned tag, the site is counted, and its badge says so", async () => {
  await dashboard.getByLabel("Pin the loader").check();
  await dashboard.getByLabel("The button says").fill(EVIL[1]);
  await expect.poll(() => snippet("The tag")).toContain("integrity=");
  body = `<body>${await snippet("The tag")}<p>${await snippet("A badge")}`;
  policy = oneLine(await snippet("If the site sends a Content-Security-Policy, add"));

  const page = await (await browser.newContext()).newPage();
  await page.goto(origin);
  await page.getByRole("button", { name: EVIL[1] }).click();
  await page.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).click();
  await server.until(({ version }) => version >= 2);
  await expect.poll(() => row().innerText(), { timeout: 20_000 }).toMatch(/\t1\t[1-9]\d*\t[1-9]/);
  const badge = await fetch(`${server.origin}/badge.svg?site=${encodeURIComponent(origin)}`);
  expect(await badge.text()).toMatch(/trained here: [1-9][\d.]*k? tokens/);
  expect(await page.locator("img").evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(
    100,
  );
  expect(await page.evaluate(() => "hit" in window)).toBe(false);
  await page.context().close();
});

it("a tag that pins another loader than is served shows nothing: the control", async () => {
  body = `<body><script defer src="${server.origin}/embed.js" integrity="sha384-${"A".repeat(64)}" crossorigin="anonymous"></script>`;
  const page = await (await browser.newContext()).newPage();
  await page.goto(origin, { waitUntil: "load" });
  expect(await page.locator("murmuration-swarm").count()).toBe(0);
  await page.context().close();
});

it("the keyboard alone suffices to make the tag, and the site gets what was chosen", async () => {
  const maker = await dashboard.context().newPage();
  await dashboard
    .context()
    .grantPermissions(["clipboard-read", "clipboard-write"], { origin: server.origin });
  await maker.goto(`${server.origin}/operator`);
  await maker.getByRole("heading", { name: "On other sites" }).waitFor();
  const { keyboard } = maker;
  const fill = async (name: RegExp, text: string) => {
    await tabTo(maker.getByLabel(name));
    await keyboard.press("Control+a");
    await keyboard.type(text);
  };
  const copy = async (name: string) => {
    await tabTo(maker.getByRole("button", { name: `Copy: ${name}` }));
    await keyboard.press("Enter");
    await maker.getByText(`Copied: ${name}`).waitFor();
    const copied = await maker.evaluate(() => navigator.clipboard.readText());
    expect(copied).toBe(await maker.getByRole("region", { name }).innerText());
    return copied;
  };
  await fill(/^The site/, "elsewhere.example");
  await maker.getByText("start the server with --embed-on https://elsewhere.example").waitFor();
  await fill(/^The site/, origin);
  await expect.poll(() => maker.getByText("start the server with").count()).toBe(0);
  await fill(/^The button says/, "Help our birds");
  await tabTo(maker.getByLabel(/^Colours/));
  await keyboard.type("d");
  await fill(/^Part of the time/, "50");
  await fill(/^MB a visitor a day/, "20");
  const { version } = await server.status();
  const { parameters } = await (await fetch(server.origin + ROUTES.manifest)).json();
  const other = await HttpVolunteer.at(server.origin);
  await fill(/^Width/, "3");
  // The page is drawn anew while somebody types.
  await other.contribute(parameters, 1);
  await maker.getByText(new RegExp(`Version ${version + 1}: `)).waitFor();
  await maker.waitForResponse(server.origin + OPERATOR_ROUTES.overview);
  await keyboard.type("00");
  await tabTo(maker.getByLabel(/^Pin the loader/));
  await keyboard.press("Space");
  body = `<body>${await copy("The tag")}`;
  style = await copy("In the site’s style sheet, so that nothing moves while a page loads");
  policy = oneLine(await copy("If the site sends a Content-Security-Policy, add"));
  body += `<p>${await copy("A badge")}`;
  await maker.close();

  const page = await (await browser.newContext({ colorScheme: "light" })).newPage();
  const failures: string[] = [];
  page.on("console", (message) => message.type() === "error" && failures.push(message.text()));
  await page.goto(origin);
  await page.getByRole("button", { name: "Help our birds" }).click();
  const box = page.locator("murmuration-swarm");
  expect((await box.boundingBox())?.width).toBe(300);
  expect(await box.evaluate((element) => getComputedStyle(element).colorScheme)).toBe("dark");
  await page.frameLocator("iframe").getByText("on about 50% of this device’s time").waitFor();
  await page.frameLocator("iframe").getByText("stops at 20.0 MB of traffic a day").waitFor();
  expect(await page.locator("script").getAttribute("integrity")).toMatch(/^sha384-/);
  expect(await page.locator("img").getAttribute("src")).toContain(encodeURIComponent(origin));
  expect(failures.filter((line) => !line.includes("favicon"))).toEqual([]);
  await page.context().close();
});

it("A12: no word of a stranger's becomes markup on the dashboard, nor a site or a browser in its lists", async () => {
  for (const evil of EVIL) {
    const headers = { "user-agent": `Mozilla/5.0 ${evil} Firefox/1`, [SITE_HEADER]: evil };
    const stranger = await HttpVolunteer.at(server.origin, headers);
    await stranger.ticket();
  }
  await dashboard.getByText("Firefox", { exact: true }).waitFor();
  await dashboard.getByRole("textbox", { name: /^The site/ }).fill(EVIL[0]);
  await dashboard.getByLabel("A volunteer’s key").fill(EVIL[1]);
  await dashboard.getByRole("heading", { name: EVIL[0] }).waitFor();
  expect(await dashboard.locator("main img, main script, svg[onload], [onerror]").count()).toBe(0);
  for (const link of await dashboard.locator("a").all()) {
    expect(await link.getAttribute("href")).not.toMatch(/^javascript:/);
  }
  for (const path of ["/status", "/"]) {
    const page = await (await browser.newContext()).newPage();
    await page.goto(server.origin + path);
    await page.getByText(EVIL[0]).first().waitFor();
    expect(await page.evaluate(() => "hit" in window)).toBe(false);
    await page.context().close();
  }
  expect(await dashboard.evaluate(() => "hit" in window)).toBe(false);
  expect(await dashboard.getByRole("row").filter({ hasText: "window.hit" }).count()).toBe(0);
});
