import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import { decodeUpload } from "../../protocol/upload.ts";
import { startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";

/** How much of a machine's time training takes, and how soon it lets go of it: measured on real runs. */
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

/** A page that trains a run of its own. */
async function trainOn(settings: object): Promise<Page> {
  const run = await startSmallRun({ evaluateWindows: 1, ...settings });
  const context = await browser.newContext();
  onTestFinished(async () => {
    await context.close();
    await run.end();
  });
  const page = await context.newPage();
  await page.goto(`${run.server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  return page;
}

/** The part of the time that was spent in training, over the next few deltas. */
async function dutyOf(page: Page): Promise<number> {
  const sent: { at: number; trainMs: number }[] = [];
  await new Promise<void>((enough) => {
    const hear = (request: Request) => {
      if (new URL(request.url()).pathname !== ROUTES.deltas) return;
      const { report } = decodeUpload(new Uint8Array(request.postDataBuffer() ?? []));
      sent.push({ at: performance.now(), trainMs: report.trainMs });
      if (sent.length <= 6) return;
      page.off("request", hear);
      enough();
    };
    page.on("request", hear);
  });
  // What was under way when the choice was made is left out.
  const counted = sent.slice(2);
  const training = counted.slice(1).reduce((sum, { trainMs }) => sum + trainMs, 0);
  return training / (counted.at(-1)!.at - counted[0]!.at);
}

it("takes the part of the time that a preset or the slider says, and remembers it", async () => {
  const page = await trainOn({ model: { layers: 2, heads: 2, width: 64, context: 64 }, batch: 8, steps: 6 });
  const preset = (name: string) => page.getByRole("radio", { name });
  const slider = page.getByRole("slider", { name: "Use of this machine" });
  expect(await preset("Balanced").isChecked()).toBe(true); // what nobody chose
  await page.getByText("Fine-tune").click();

  await preset("All in").check();
  expect(await slider.inputValue()).toBe("100");
  const all = await dutyOf(page);
  await preset("Quiet").check();
  expect(await slider.inputValue()).toBe("20");
  const quiet = await dutyOf(page);
  expect(quiet).toBeLessThan(0.22);
  expect(all).toBeGreaterThan(2 * quiet);

  await slider.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  await page.getByText("50% of the time").waitFor();
  await page.getByText("Custom").waitFor();
  const half = await dutyOf(page);
  expect(half).toBeLessThan(0.52);
  expect(half).toBeGreaterThan(1.3 * quiet);

  await page.reload();
  await page.getByText("Fine-tune").click();
  await page.getByText("50% of the time").waitFor();
});

it("stops within one step of a ticket that has many to go, and frees the memory", async () => {
  const [batch, context, steps] = [16, 128, 200];
  const rounds = "turns"; // on a clock no ticket asks for so many steps
  const model = { layers: 4, heads: 4, width: 128, context };
  const page = await trainOn({ model, batch, steps, rounds });
  await page.getByRole("radio", { name: "All in" }).check();
  const station = page.locator(".station", { hasText: `/${steps}` });
  await station.waitFor();
  const told = (await station.textContent()) ?? "";
  const [, done = "0", speed = "0", unit = ""] = /step (\d+)\/\d+([\d.]+)( k)? tokens/.exec(told) ?? [];
  const stepMs = (batch * context * 1_000) / (Number(speed) * (unit === "" ? 1 : 1_000));
  expect(stepMs).toBeGreaterThan(100);
  expect((steps - Number(done)) * stepMs).toBeGreaterThan(10_000); // what waiting for the ticket's end would take

  const [worker] = page.workers();
  const gone = worker?.waitForEvent("close");
  const begun = performance.now();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await gone; // a Worker that has ended holds nothing: its memory is the browser's again
  // A step on a busy machine, and what a click and two messages take there.
  expect(performance.now() - begun).toBeLessThan(2 * stepMs + 2_000);
  await page.getByRole("status").getByText("Stopped. Nothing is running.").waitFor();
  expect(page.workers()).toHaveLength(0);
  await page.getByRole("button", { name: "Start again" }).waitFor();
});
