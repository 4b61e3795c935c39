import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";
import { WORKER } from "./pages-fixture.ts";

/** Parts of a browser that never answer, with a real server and a real Worker: each has a limit and a next choice. */
let run: SmallRun;
let browser: Browser;
let page: Page;
let uploads: number;
let warnings: string[];

beforeAll(async () => {
  [run, browser] = await Promise.all([
    startSmallRun({ model: { layers: 1, heads: 2, width: 32, context: 32 }, batch: 4, steps: 10 }),
    launchChromium(),
  ]);
});
afterAll(async () => {
  await browser.close();
  await run.end();
});
beforeEach(async () => {
  page = await (await browser.newContext()).newPage();
  [uploads, warnings] = [0, []];
  page.on("console", (message) => message.type() === "warning" && warnings.push(message.text()));
  page.on("response", (response) => {
    if (new URL(response.url()).pathname === ROUTES.deltas && response.ok()) uploads++;
  });
});
afterEach(() => page.context().close());

/** Runs `script` in the page's Worker before its own. */
const inWorker = (script: string) =>
  page.context().route(WORKER, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: `${script}\n${await answer.text()}` });
  });
async function start(): Promise<void> {
  await page.goto(run.server.origin);
  await page.getByRole("button", { name: "Start training" }).click();
}
const trains = () => expect.poll(() => uploads, { timeout: 60_000 }).toBeGreaterThan(1);

const never = "() => new Promise(() => {})";
const adapter = `{ features: new Set(), limits: {}, info: { vendor: "a", architecture: "silent", device: "", description: "" }`;
const gpu = (requestAdapter: string) =>
  `Object.defineProperty(navigator, "gpu", { configurable: true, value: { requestAdapter: ${requestAdapter} } });`;

it("storage that never opens: trains from memory, and says that nothing is kept", async () => {
  await inWorker("IDBFactory.prototype.open = () => new EventTarget();");
  await start();
  await trains();
  expect(warnings.join()).toMatch(/nothing is kept between visits \(storage did not answer within 5 s\)/);
});

it("storage, the control: one that opens is used", async () => {
  await start();
  await trains();
  expect(warnings.join()).not.toContain("nothing is kept");
  expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(1);
});

it("storage that never opens: the playground loads its model all the same", async () => {
  await inWorker("IDBFactory.prototype.open = () => new EventTarget();");
  await page.goto(`${run.server.origin}/playground`);
  await page.getByRole("button", { name: /Load/ }).click();
  await page.getByRole("button", { name: "Write" }).first().waitFor({ timeout: 60_000 });
});

it.each([
  ["a list of databases", `IDBFactory.prototype.databases = ${never};`],
  ["locks", `LockManager.prototype.request = ${never};`],
])("%s that never comes keeps nobody from training", async (_, script) => {
  await inWorker(script);
  await start();
  await trains();
});

it.each([
  ["an adapter", gpu(never), "WebGPU’s adapter did not answer within 5 s"],
  [
    "a device",
    gpu(`async () => (${adapter}, requestDevice: ${never} })`),
    "WebGPU’s device did not answer within 10 s",
  ],
])("%s that never comes is done without, and the page says so", async (_, script, words) => {
  await inWorker(script);
  await start();
  await trains();
  await page.locator("details.device summary").click();
  await page.getByText(words).waitFor();
  await page.locator("details.device summary").getByText("WebAssembly").waitFor();
});

it("keys that never arrive are named, and can be tried again", async () => {
  await inWorker(`SubtleCrypto.prototype.generateKey = ${never};`);
  await start();
  await page.getByText("part of this browser does not answer").first().waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Try again" }).waitFor();
});
