import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";

/**
 * A page and two programs make the audits of a run that new keys flood with garbage: three auditors, so that the page has a
 * part in each. Its arithmetic can be put out by a hair, and then it says what is not true.
 */
const LIES = `{
  const { sqrt } = Math;
  let lies = false;
  new BroadcastChannel("lies").onmessage = () => { lies = true; };
  Math.sqrt = (value) => sqrt(value) * (lies ? 1 + 1e-9 : 1);
}
`;
/** Keys that send garbage at once: more than the server's own thread audits meanwhile. */
const FLOOD = 12;

let run: SmallRun;
let browser: Browser;
let page: Page;
let garbage = 0;

beforeAll(async () => {
  const settings = {
    model: { layers: 2, heads: 4, width: 64, context: 64 },
    ...{ batch: 4, steps: 4, learningRate: 0.003, delta: "dense4", evaluateWindows: 8 },
    trust: { auditShare: 1 },
  };
  [run, browser] = await Promise.all([startSmallRun(settings, "--volunteers", "2"), launchChromium()]);
  const context = await browser.newContext();
  await context.route(/\/assets\/worker-[^/]*\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: LIES + (await response.text()) });
  });
  page = await context.newPage();
});
afterAll(async () => {
  await browser.close();
  await run.end();
});

/** What the server counts of audits by volunteers. */
async function shared(): Promise<{ agreement: number; server: number; wrong: number }> {
  const text = new TextDecoder().decode(await run.server.get("/metrics"));
  const of = (name: string) => Number(new RegExp(`murmuration_${name} (\\d+)`).exec(text)?.[1]);
  return {
    agreement: of('shared_audits_total\\{settled_by="agreement"\\}'),
    server: of('shared_audits_total\\{settled_by="server"\\}'),
    wrong: of("wrong_audits_total"),
  };
}

async function flood(): Promise<void> {
  const { origin } = run.server;
  const manifest: { parameters: number } = JSON.parse(
    new TextDecoder().decode(await run.server.get("/api/manifest")),
  );
  // Each another one: a copy is bad as it stands, and audited by nobody.
  const send = async () => (await HttpVolunteer.at(origin)).contribute(manifest.parameters, ++garbage);
  await Promise.allSettled(Array.from({ length: FLOOD }, send));
}

type Counts = Awaited<ReturnType<typeof shared>>;

/** Floods the run with garbage, after `before` each time, until what the server counts is as `wanted`. */
const floodUntil = (wanted: (counts: Counts) => boolean, before = () => Promise.resolve()) =>
  expect
    .poll(
      async () => {
        await before();
        await flood();
        const counts = await shared();
        return wanted(counts) ? "as wanted" : JSON.stringify(counts);
      },
      { timeout: 120_000, interval: 500 },
    )
    .toBe("as wanted");

it("A31: a page audits for a run as programs do, to the bit; and once it does not, its lie is found", async () => {
  await page.goto(`${run.server.origin}/?device=wasm`);
  await expect(page.getByText("checks another visitor’s change").textContent()).resolves.toContain("whose");
  await page.getByRole("button", { name: "Start training" }).click();
  await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 });
  await floodUntil(({ agreement }) => agreement > 1);
  expect((await shared()).wrong, "the control").toBe(0);
  // Time and again: a Worker that begins meanwhile has not heard it.
  const lie = () => page.evaluate(() => new BroadcastChannel("lies").postMessage(true));
  await floodUntil(({ wrong }) => wrong > 0, lie);
  await page
    .getByText(/Your work failed a check/)
    .first()
    .waitFor({ timeout: 60_000 });
  const { server } = await shared();
  expect(server).toBeGreaterThan(0);
});
