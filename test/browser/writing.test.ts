import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { layoutOf } from "../../model/contract/layout.ts";
import { decodeSafetensors } from "../../model/data/safetensors.ts";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { CachedDecoder } from "../../model/decode/cached-decoder.ts";
import { generateCached } from "../../model/decode/generate-cached.ts";
import type { Manifest } from "../../protocol/manifest.ts";
import { ROUTES } from "../../protocol/routes.ts";
import { type SmallRun, startSmallRun } from "../harness/small-run.ts";
import { launchChromium } from "./launch.ts";
import { tabTo } from "./tab-to.ts";

/**
 * The playground on a real run, worked by the keyboard alone: what it writes is what the stored weights of the version
 * that it names write here, at the temperature and among the choices that are set.
 */
const SETTINGS = {
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 4,
  steps: 10,
  snapshotEvery: 1,
  keepSnapshots: 1_000,
  evaluateWindows: 32,
};
/** Tokens of one answer, and what the page begins with. */
const LENGTH = 160;
const BEGIN = { temperature: 0.8, topK: 40, seed: 1 };

let run: SmallRun;
let browser: Browser;
let page: Page;

const get = (path: string) => run.server.get(path);
const json = async (path: string) => JSON.parse(new TextDecoder().decode(await get(path)));

beforeAll(async () => {
  [run, browser] = await Promise.all([startSmallRun(SETTINGS, "--volunteers", "1"), launchChromium()]);
  await run.server.until(({ version }) => version >= 10);
  page = await (await browser.newContext()).newPage();
  await page.goto(`${run.server.origin}/playground`);
});
afterAll(async () => {
  await browser.close();
  await run.end();
});

const field = (name: string) => page.getByLabel(name, { exact: true });
const button = (name: string) => page.getByRole("button", { name, exact: true });
const press = async (target: Locator, key = "Enter") => {
  await tabTo(target);
  await page.keyboard.press(key);
};

it("writes by keyboard alone what the weights of its version write, with the chosen settings", async () => {
  await press(page.getByRole("button", { name: /^Load the model/ }));
  const loaded = await page.getByText(/^Version [\d,]+ is loaded\.$/).textContent();
  const version = Number(loaded?.replaceAll(/\D/g, ""));
  expect(version).toBeGreaterThanOrEqual(10);

  const manifest: Manifest = await json(ROUTES.manifest);
  const { record } = await json(ROUTES.version(version));
  const weights = decodeSafetensors(await get(ROUTES.snapshot(record.model)), layoutOf(manifest.model));
  const tokenizer = loadTokenizer(await get(ROUTES.tokenizer));
  const expected = (prompt: string, sampling: typeof BEGIN) => {
    const decoder = new CachedDecoder(manifest.model, weights);
    const written = generateCached(decoder, manifest.model.context, tokenizer.encode(prompt), sampling);
    return prompt + tokenizer.decode(Array.from({ length: LENGTH }, () => written.next().value));
  };
  const output = page.locator("blockquote", { has: page.locator(".given") });
  const wrote = async (prompt: string, sampling: typeof BEGIN) => {
    await page.getByText("tokens a second").waitFor();
    await expect.poll(() => output.textContent()).toBe(expected(prompt, sampling));
  };

  await press(button("Write"));
  await wrote("The whale", BEGIN);
  await press(button("Write it another way"));
  await wrote("The whale", { ...BEGIN, seed: 2 });
  expect(expected("The whale", { ...BEGIN, seed: 2 })).not.toBe(expected("The whale", BEGIN));

  await tabTo(field("Your words"));
  await page.keyboard.press("Control+a");
  await page.keyboard.type("Some ");
  await press(field("Temperature"), "End");
  await page.getByText("2.0: daring").waitFor();
  await press(field("Choose among"), "Home");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowRight");
  await page.getByText("the 5 likeliest tokens").waitFor();
  await press(button("Write"));
  await wrote("Some ", { temperature: 2, topK: 5, seed: 2 });

  await press(field("Temperature"), "Home");
  await page.getByText("always the likeliest token").waitFor();
  await press(button("Write"));
  await wrote("Some ", { temperature: 0, topK: 5, seed: 2 });
  expect(await button("Write it another way").isDisabled()).toBe(true);
});
