import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { HttpVolunteer, smallDelta } from "../harness/http-volunteer.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";
import { looksRight } from "./looks.ts";
import { WORKER } from "./pages-fixture.ts";

/**
 * One real run from its first ticket to its end, its operator's page and a volunteer's beside each other: what the one
 * does, the other is told in so many words.
 */
let run: SmallRun;
let browser: Browser;
let visitor: Page;
let operator: Page;
let other: HttpVolunteer;

const line = (words: string, page = visitor) => page.locator("p.phase").getByText(words).waitFor();
const press = (name: string) => operator.getByRole("button", { name, exact: true }).click();
const done = (words: string) => operator.getByText(words, { exact: true }).waitFor();
/** The visitor's deltas make versions. */
const trains = async () => {
  const { version } = await run.server.status();
  await run.server.until((status) => status.version > version + 1);
};

beforeAll(async () => {
  [run, browser] = await Promise.all([startSmallRun({}), launchChromium()]);
  other = await HttpVolunteer.at(run.server.origin);
  [visitor, operator] = [
    await (await browser.newContext()).newPage(),
    await (await browser.newContext()).newPage(),
  ];
  await operator.goto(run.server.link);
  await operator.getByRole("heading", { name: "Run it" }).waitFor();
});
afterAll(async () => {
  await browser.close();
  await run.end();
});

it("says that it starts, and then that it downloads, for as long as either takes", async () => {
  const page = await (await browser.newContext()).newPage();
  const hold = async (path: RegExp) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route(path, async (route) => {
      await promise;
      await route.continue();
    });
    return resolve;
  };
  const [script, weights] = [await hold(WORKER), await hold(/\/api\/snapshots\//)];
  await page.goto(`${run.server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  await line("Starting…", page);
  script();
  await line("Downloading the model’s weights…", page);
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await line("Stopped. Nothing is running.", page);
  weights();
  await page.context().close();
});

/** A page in a run of its own, in which another volunteer holds a ticket. */
async function secondOf(settings: object) {
  const busy = await startSmallRun(settings);
  const first = await HttpVolunteer.at(busy.server.origin);
  const ticket = await first.ticket();
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${busy.server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  const end = async () => {
    await page.context().close();
    await busy.end();
  };
  return { busy, first, ticket, page, end };
}

it("waits for its turn while as many are at work as may be, in a run on turns, and then trains", async () => {
  const { busy, first, ticket, page, end } = await secondOf({ rounds: "turns", crowd: 1 });
  await line("Waiting for the next piece of work", page);
  expect((await busy.server.status()).version).toBe(0);
  const { parameters } = await (await fetch(`${busy.server.origin}/api/manifest`)).json();
  await first.upload(ticket, smallDelta(parameters, 1, ticket)); // a version of its own, and the visitor's turn
  await busy.server.until((status) => status.version > 1);
  await end();
});

it("trains at once while another is at work, in a run on a clock", async () => {
  const { busy, end } = await secondOf({ crowd: 1 });
  await busy.server.until((status) => status.version > 1);
  await end();
});

it("trains, and says so", async () => {
  await visitor.goto(`${run.server.origin}/?device=wasm`);
  await visitor.getByRole("button", { name: "Start training" }).click();
  await trains();
  await visitor.locator("p.phase.training").waitFor();
});

it.each([
  ["Pause", "Paused."],
  ["Drain", "Draining: the run pauses once no ticket is outstanding."],
])("the visitor sees %s, and Start sets it to work again", async (button, words) => {
  await press(button);
  await done(words);
  await line("The operator has paused the run.");
  await expect.poll(async () => (await run.server.status()).state).toBe("paused");
  await operator.getByRole("cell", { name: button.toLowerCase(), exact: true }).first().waitFor();
  await press("Start");
  await done("Started.");
  await trains();
});

it("a setting that the operator changes holds for the next ticket, and the log names it", async () => {
  await operator.getByLabel("Lease").fill("77");
  await press("Apply");
  await done("Applied.");
  await operator.getByRole("cell", { name: "tune leaseSeconds=77" }).waitFor();
  const ticket = await other.ticket();
  expect(ticket.lease).toBe(77_000);
});

it("the visitor sees that the server is away, and training goes on when it is back", async () => {
  await run.server.end("SIGKILL");
  await line("The server does not answer");
  await run.restart();
  await trains();
});

it("what this browser cannot do is said, with the reason", async () => {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${run.server.origin}/?device=webgpu`); // which this Chromium was started without
  await page.getByRole("button", { name: "Start training" }).click();
  await line("No way to train worked in this browser", page);
  expect(await page.locator("p.detail").first().textContent()).toMatch(/webgpu/i);
  await page.context().close();
});

it("a browser that cannot make keys says so", async () => {
  const page = await (await browser.newContext()).newPage();
  await page.route(WORKER, async (route) => {
    const response = await route.fetch();
    const without = `crypto.subtle.generateKey = () => Promise.reject(new DOMException("", "NotSupportedError"));\n`;
    await route.fulfill({ response, body: without + (await response.text()) });
  });
  await page.goto(`${run.server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  await line("cannot make Ed25519 keys", page);
  await page.context().close();
});

it("plain HTTP from elsewhere names HTTPS as the reason, and offers no start", async () => {
  const page = await (await browser.newContext()).newPage();
  await page.route("http://elsewhere.test/**", async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname === ROUTES.events) return route.abort(); // a stream has no end to wait for
    return route.fulfill({ response: await route.fetch({ url: run.server.origin + pathname }) });
  });
  await page.goto("http://elsewhere.test/");
  await page.getByText("It works from an https:// address").waitFor();
  expect(await page.getByRole("button", { name: "Start training" }).count()).toBe(0);
  await page.unrouteAll({ behavior: "ignoreErrors" }); // the chart may still be on its way
  await page.context().close();
});

it("a run that its operator finishes thanks the visitor, and asks nothing of the next", async () => {
  await operator.goto("about:blank"); // or the new link would be a change of the hash alone
  await operator.goto(run.server.link);
  await press("Finish…");
  await press("Finish for good");
  await line("The run is finished");
  await visitor.reload();
  await visitor.getByRole("heading", { name: "The model is finished" }).waitFor();
  expect(visitor.workers()).toHaveLength(0);
  await looksRight(visitor);
});
