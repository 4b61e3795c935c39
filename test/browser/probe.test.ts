import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServedModule, serveModule } from "./bundle.ts";
import { launchChromium } from "./launch.ts";
import type {} from "./probe-page.ts";

/** The probe on real devices: WASM, and WebGPU on a software adapter. */

let served: ServedModule;
let withGpu: Browser;
let without: Browser;

beforeAll(async () => {
  served = await serveModule(join(import.meta.dirname, "probe-page.ts"));
  withGpu = await launchChromium({ webgpu: true });
  without = await launchChromium();
});

afterAll(async () => {
  await withGpu.close();
  await without.close();
  await served.close();
});

async function open(browser: Browser) {
  const page = await browser.newPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.goto(served.url);
  return { page, asked };
}

test("where the GPU is a processor in disguise, WASM is measured first and not made to wait for it", async () => {
  const { page } = await open(withGpu);
  const { results, report } = await page.evaluate(() => probePage.run());
  expect(results!.map(({ device, engine }) => `${device} ${engine}`)).toEqual(["wasm fast", "webgpu fast"]);
  const [wasm, webgpu] = results!.map(({ outcome }) => ("refused" in outcome ? 0 : outcome.tokensPerSecond));
  expect(wasm).toBeGreaterThan(0);
  expect(report!.device).toBe(webgpu! > wasm! ? "webgpu" : "wasm");
});

test("a run with Muon inside is trained on WebGPU by the fast engine, once the known gradient is met with Muon", async () => {
  const { page } = await open(withGpu);
  const { report, results } = await page.evaluate(() => probePage.runMuon());
  expect(report).toMatchObject({
    device: "webgpu",
    engine: "fast",
    detail: expect.stringMatching(/tiles register/),
  });
  expect(results).toMatchObject([{ engine: "fast", outcome: { tokensPerSecond: expect.any(Number) } }]);
});

test("a GPU whose products are wrong beyond 64 columns meets the known gradient, and is put out at the run's own shape", async () => {
  const { page } = await open(withGpu);
  await page.evaluate(() => probePage.spoil("step < k;", "step < min(k, 16u);")); // of four columns each
  const { results, report } = await page.evaluate(() => probePage.runFast());
  expect(report!.device).toBe("wasm");
  // a tiny model's gradient, which comes before that, does not show it
  expect(results![1]).toEqual({
    device: "webgpu",
    engine: "fast",
    outcome: { refused: expect.stringMatching(/^at this model's size it computes .*, and WebAssembly/) },
  });
});

test("without WebGPU its reason is kept, WASM serves, and tfjs is never fetched", async () => {
  const { page, asked } = await open(without);
  const { results, report } = await page.evaluate(() => probePage.run());
  expect(results![1]).toMatchObject({ device: "webgpu", outcome: { refused: expect.stringMatching(/./) } });
  expect(report).toMatchObject({ device: "wasm", engine: "fast" });
  expect(asked.filter((path) => path.includes("tfjs"))).toEqual([]);
});

test("a device that was asked for and is not there is refused with its reasons", async () => {
  const { page } = await open(without);
  const { reasons } = await page.evaluate(() => probePage.run("webgpu"));
  expect(reasons).toMatch(/webgpu \(fast\): .+; webgpu \(tfjs\): .+/);
});

test("half of the processors train, and the other half stay the visitor's", async () => {
  const { page } = await open(without);
  const { report } = await page.evaluate(() => {
    Object.defineProperty(navigator, "hardwareConcurrency", { value: 5 });
    return probePage.run("wasm");
  });
  expect(report!.detail).toMatch(/^2 threads/);
});
