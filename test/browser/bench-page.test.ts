import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { parseSpeeds } from "../../protocol/speeds.ts";
import { launchChromium } from "./launch.ts";
import { fits, hasNoFault } from "./looks.ts";
import { type FakeSite, serveSite } from "./pages-fixture.ts";

/** The bench page with its real Worker and engines, at a size that takes seconds. */

let withGpu: Browser;
let without: Browser;
let site: FakeSite;

beforeAll(async () => {
  [withGpu, without] = await Promise.all([launchChromium({ webgpu: true }), launchChromium()]);
  site = await serveSite(inject("pages"));
});
afterAll(async () => {
  await Promise.all([withGpu.close(), without.close(), site.close()]);
});

async function open(browser: Browser, config = "tiny") {
  const page = await (await browser.newContext()).newPage(); // of its own, as axe wants it
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.goto(`${site.origin}/bench?config=${config}`);
  return { page, faults };
}

const results = async (page: Page) => JSON.parse((await page.locator("pre:not(.sent)").textContent())!);
const measure = (page: Page) => page.getByRole("button", { name: "Measure" }).click();
const done = (page: Page) => page.getByText("Done.").waitFor({ timeout: 120_000 });

test("measures ours and stock tfjs on WebGPU and WASM, all with the same loss, and is honest", async () => {
  const { page, faults } = await open(withGpu);
  await measure(page);
  await done(page);
  const { rows, gemm, refused, shape } = await results(page);
  expect(refused).toEqual([]);
  const contenders = rows.map(({ contender }: { contender: string }) => contender).toSorted();
  expect(contenders).toEqual(["fast-wasm", "fast-webgpu", "tfjs-wasm", "tfjs-webgpu"]);
  expect(shape.width).toBe(16);
  for (const row of rows) {
    expect(row.firstLoss).toBeCloseTo(rows[0].firstLoss, 4);
    expect(row.tokensPerSecond).toBeGreaterThan(0);
    expect(row.startMs).toBeGreaterThan(0);
  }
  expect(gemm).toMatchObject({ software: true, side: 256 });
  const ours = rows.find(({ contender }: { contender: string }) => contender === "fast-webgpu");
  // 15 for its layer and 11 more. Five pairs of products share a dispatch where the tiles that the probe chose allow it.
  expect(ours.dispatches).toBeGreaterThanOrEqual(26);
  expect(ours.dispatches).toBeLessThanOrEqual(31);
  expect(ours.steps).toBeGreaterThanOrEqual(10);
  expect(ours.products).toBeGreaterThan(0);
  await page.getByText("software that runs on the CPU").waitFor();
  await page.getByText(/On WebGPU our engine is .* times as fast/).waitFor();
  await hasNoFault(page);
  await page.setViewportSize({ width: 360, height: 800 });
  await fits(page, "360 px");
  expect(faults).toEqual([]);
});

test("without WebGPU says why, measures the processor, asks for no tfjs before its turn, and sends only what is agreed to", async () => {
  const { page, faults } = await open(without, "small");
  expect(site.asked.filter((path) => path.includes("stock"))).toHaveLength(1); // the test before
  await measure(page);
  await done(page);
  const { rows, refused } = await results(page);
  expect(rows.map(({ contender }: { contender: string }) => contender)).toEqual(["fast-wasm", "tfjs-wasm"]);
  expect(refused).toMatchObject([{ contender: "gemm", why: expect.stringMatching(/./) }]);
  await page.getByText("so only the processor was measured").waitFor();
  const send = page.getByRole("button", { name: "Send" });
  await send.waitFor();
  expect(site.done).toEqual([]);
  const shown = JSON.parse((await page.locator("pre.sent").textContent())!);
  await hasNoFault(page);
  await send.click();
  await page.getByText("Sent. Thank you.").waitFor();
  expect(site.done).toEqual([shown]);
  expect(parseSpeeds(shown)).toMatchObject([
    { device: "wasm", size: "small", tokensPerSecond: Math.round(rows[0].tokensPerSecond) },
  ]);
  expect(faults).toEqual([]);
});

test("stops at once, keeps what it has, and measures again", async () => {
  const { page } = await open(without);
  await page.getByRole("combobox").selectOption("anchor");
  await measure(page);
  await page.getByText(/step \d+/).waitFor({ timeout: 60_000 });
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped.").waitFor();
  await page.getByRole("combobox").selectOption("tiny");
  await page.getByRole("button", { name: "Measure again" }).click();
  await done(page);
  expect((await results(page)).config).toBe("tiny");
});
