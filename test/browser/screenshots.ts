/**
 * Every state of every page as a picture, to be looked at: `node test/browser/screenshots.ts OUTDIR [WORD…]`.
 * Words keep only the pictures whose name holds one of them.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { LANGUAGES, PSEUDO } from "../../client/language/languages.ts";
import { findChromium } from "./chromium.ts";
import { EMBED_SHOTS } from "./embed-shots.ts";
import { exampleOverview, exampleSetup } from "./example-operator.ts";
import { EXAMPLE_PAGE } from "./example-people.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus, hashOf } from "./example-status.ts";
import { chromiumFlags } from "./flags.ts";
import { buildPages, type FakeSite, hostPage, removePages, serveSite, WORKER } from "./pages-fixture.ts";
import { PEOPLE_SHOTS } from "./people-shots.ts";
import type { Shot } from "./shot.ts";

const agree = (page: Page) => page.getByRole("button", { name: "Start training" }).click();
const withPhase = (last: Parameters<typeof trainingScript>[0]) => (site: FakeSite) => {
  site.script = trainingScript(last);
};

const withSetup = (changes: Parameters<typeof exampleSetup>[0]) => (site: FakeSite) => {
  site.setup = exampleSetup(changes);
};

const startsWith = (phase: Parameters<typeof trainingScript>[0]) => (site: FakeSite) => {
  site.script = phase === undefined ? [] : [{ type: "phase", phase }];
};

/** Opens the page again, and lets nothing through that it fetches late. */
const withoutParts = async (page: Page) => {
  await page.route(/\/assets\/(uPlot|names-panel|panel|line)[.-]/, (route) => route.abort());
  await page.reload();
};

const NOTHING_YET = {
  ...{ heldOut: [], versions: [], sample: null, samples: [], version: 0, volunteers: 0 },
  ...{ tokensMerged: 0, tokensPerSecond: 0, deltas: { merged: 0, refused: {} } },
};

/** The visitor's pages in a language; what is pressed is found without words. */
function inLanguage(tag: string): readonly Shot[] {
  const speak = (page: Page) =>
    page.evaluate((tag) => localStorage.setItem("murmuration-language", tag), tag).then(() => page.reload());
  const start = (page: Page) => page.locator("button.primary").first().click();
  return [
    { name: `language-${tag}-consent`, path: "/", visitor: async (page) => void (await speak(page)) },
    {
      name: `language-${tag}-training`,
      path: "/",
      async visitor(page) {
        await speak(page);
        await start(page);
        await page.locator('.phase[data-state="training"]').waitFor();
        await page.locator(".choices details summary").click();
        for (const part of await page.locator("details.inside > summary").all()) await part.click();
        await page.locator(".map").waitFor();
        await page.locator(".leaders").first().waitFor();
      },
    },
    { name: `language-${tag}-frame`, path: "/frame", visitor: async (page) => void (await speak(page)) },
    {
      name: `language-${tag}-frame-training`,
      path: "/frame",
      async visitor(page) {
        await speak(page);
        await start(page);
        await page.locator('.phase[data-state="training"]').waitFor();
      },
    },
  ];
}

const SHOTS: readonly Shot[] = [
  { name: "consent", path: "/" },
  {
    name: "unloaded",
    path: "/",
    visitor: async (page) => {
      await page.route(/\/assets\/[^/]*\.js$/, (route) => route.abort());
      await page.reload();
      await page.locator(".unloaded").waitFor({ timeout: 15_000 });
    },
  },
  {
    name: "consent-new-run",
    path: "/",
    given: (site) => {
      site.status = exampleStatus(NOTHING_YET);
    },
  },
  { name: "training", path: "/", visitor: agree },
  ...[...Object.keys(LANGUAGES), PSEUDO].flatMap(inLanguage),
  {
    name: "inside",
    path: "/",
    async visitor(page) {
      await agree(page);
      await page.getByText("A look inside").click();
      await page.getByText("Where tokens lie").waitFor();
    },
  },
  {
    name: "paused-hours",
    path: "/",
    async visitor(page) {
      await page.clock.setFixedTime(new Date(2026, 10, 23, 12, 0));
      await page.reload();
      await agree(page);
      await page.getByText("Fine-tune").click();
      await page.getByRole("checkbox", { name: "Train only from" }).check();
    },
  },
  {
    name: "people",
    path: "/",
    async visitor(page) {
      await agree(page);
      await page.getByText("Names, and your data").click();
      await page.getByText("Ann of the Reeds").waitFor();
      await page.getByRole("button", { name: "Forget me…" }).click();
    },
  },
  {
    name: "refused",
    path: "/",
    given: (site) => {
      site.script = [
        ...trainingScript(),
        { type: "refused", code: "stale", message: "too old" },
        { type: "refused", code: "norm-too-large", message: "too large" },
      ];
    },
    visitor: agree,
  },
  { name: "starting", path: "/", given: startsWith({ phase: "starting" }), visitor: agree },
  { name: "probing", path: "/", given: startsWith({ phase: "probing", trying: "webgpu" }), visitor: agree },
  {
    name: "downloading",
    path: "/",
    given: startsWith({ phase: "downloading", what: "weights", bytes: 400_000, total: 1_141_248 }),
    visitor: agree,
  },
  { name: "queued", path: "/", given: withPhase({ phase: "queued" }), visitor: agree },
  { name: "waiting", path: "/", given: withPhase({ phase: "waiting", forMs: 5_000 }), visitor: agree },
  {
    name: "paused-operator",
    path: "/",
    given(site) {
      site.status = exampleStatus({ state: "paused" });
      site.script = trainingScript({ phase: "paused", why: "operator" });
    },
    visitor: agree,
  },
  ...(["battery", "hidden", "saver", "heat", "schedule", "budget", "other-tab"] as const).map((why) => ({
    name: `paused-${why}`,
    path: "/",
    given: withPhase({ phase: "paused", why }),
    visitor: agree,
  })),
  {
    name: "stopped",
    path: "/",
    async visitor(page) {
      await agree(page);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
    },
  },
  {
    name: "unable-protocol",
    path: "/",
    given: startsWith({ phase: "unable", why: "protocol", detail: "" }),
    visitor: agree,
  },
  {
    name: "unable-ed25519",
    path: "/",
    given: startsWith({ phase: "unable", why: "no-ed25519", detail: "" }),
    visitor: agree,
  },
  {
    name: "unable-stuck",
    path: "/",
    given: startsWith({ phase: "unable", why: "stuck", detail: "storage did not answer within 5 s" }),
    visitor: agree,
  },
  {
    name: "quarantined",
    path: "/",
    given: withPhase({ phase: "quarantined", forMs: 120_000 }),
    visitor: agree,
  },
  {
    name: "banned",
    path: "/",
    given: withPhase({ phase: "banned", forMs: 5_000 }),
    visitor: agree,
  },
  {
    name: "parts-missing",
    path: "/",
    given: (site) => {
      site.script = [...trainingScript(), { type: "missing", part: "tokenizer", missing: true }];
    },
    async visitor(page) {
      await withoutParts(page);
      await agree(page);
      await page.getByText("A look inside").click();
      await page.getByText("Names, and your data").click();
      await page.locator(".missing").nth(3).waitFor();
    },
  },
  {
    name: "operator-parts-missing",
    path: "/operator#link=good",
    async visitor(page) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      await withoutParts(page);
      await page.locator(".missing").nth(1).waitFor();
    },
  },
  {
    name: "how-failed",
    path: "/how",
    async visitor(page) {
      await page.route(WORKER, (route) => route.abort());
      await page.getByRole("button", { name: "Let it learn" }).click();
      await page.getByText("could not be loaded").waitFor();
    },
  },
  { name: "sending", path: "/", given: withPhase({ phase: "sending", bytes: 151_616 }), visitor: agree },
  {
    name: "paused",
    path: "/",
    async visitor(page) {
      await agree(page);
      await page.getByRole("button", { name: "Pause" }).click();
    },
  },
  {
    name: "paused-for-an-hour",
    path: "/",
    async visitor(page) {
      await page.clock.setFixedTime(new Date(2026, 10, 23, 12, 0));
      await page.reload();
      await agree(page);
      await page.getByText("Fine-tune").click();
      await page.getByLabel("Pause for…").selectOption("an hour");
      await page.getByText("Training resumes by itself").waitFor();
    },
  },
  { name: "away", path: "/", given: withPhase({ phase: "away", forMs: 7_400 }), visitor: agree },
  {
    name: "away-at-once",
    path: "/",
    given: (site) => {
      site.status = "away";
    },
  },
  {
    name: "unable",
    path: "/",
    given: (site) => {
      const phase = {
        phase: "unable",
        why: "no-device",
        detail: "WebGPU: no adapter. WebAssembly: no SIMD.",
      } as const;
      site.script = [{ type: "phase", phase }];
    },
    visitor: agree,
  },
  { name: "finished", path: "/", given: withPhase({ phase: "finished" }), visitor: agree },
  {
    name: "finished-before",
    path: "/",
    given: (site) => {
      site.status = exampleStatus({ state: "finished", volunteers: 0 });
    },
  },
  { name: "playground", path: "/playground" },
  {
    name: "playground-written",
    path: "/playground",
    async visitor(page) {
      await page.getByRole("button", { name: "Load the model" }).click();
      await page.getByRole("button", { name: "Write", exact: true }).click();
      await page.getByText("What it would write next").waitFor();
    },
  },
  { name: "how", path: "/how" },
  {
    name: "how-learning",
    path: "/how",
    async visitor(page) {
      await page.getByRole("button", { name: "Let it learn" }).click();
      await page.getByRole("checkbox", { name: "As fast as it can" }).check();
      await page.getByText(/^[1-9]\d\d steps/).waitFor({ timeout: 120_000 });
      await page.getByRole("button", { name: "Pause" }).click();
    },
  },
  { name: "bench", path: "/bench" },
  {
    name: "bench-done",
    path: "/bench?config=tiny",
    async visitor(page) {
      await page.getByRole("button", { name: "Measure" }).click();
      await page.getByText("Done.").waitFor({ timeout: 120_000 });
    },
  },
  { name: "status", path: "/status" },
  {
    name: "status-getting-worse",
    path: "/status",
    given: (site) => {
      const { heldOut } = exampleStatus();
      const worse = heldOut.map((point, i) => ({ ...point, loss: point.loss + Math.max(0, i - 20) * 0.08 }));
      site.status = exampleStatus({ heldOut: worse });
    },
  },
  { name: "operator-signed-out", path: "/operator" },
  { name: "operator", path: "/operator#link=good" },
  {
    name: "operator-alert",
    path: "/operator#link=good",
    async visitor(page, site) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      site.overview = exampleOverview({
        alerts: ["held-out loss rose from 3.09 to 3.71"],
        draining: true,
      });
      await page.getByRole("button", { name: "Finish…" }).click();
      await page.getByText("held-out loss rose").waitFor();
    },
  },
  {
    name: "operator-asking",
    path: "/operator#link=good",
    async visitor(page) {
      await page.getByLabel("A volunteer’s key").fill("k".repeat(43));
      for (const name of ["Finish…", "Roll back…", "Ban…"]) await page.getByRole("button", { name }).click();
      await page.getByLabel("Pin the loader").check();
      await page.getByLabel("Width, pixels").fill("300");
    },
  },
  ...(["paused", "finished"] as const).map((state) => ({
    name: `operator-${state}`,
    path: "/operator#link=good",
    given: (site: FakeSite) => {
      site.status = exampleStatus({ state });
    },
    async visitor(page: Page, site: FakeSite) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      site.overview = exampleOverview({ state, here: { device: {}, browser: {}, backend: {} } });
      await page.getByText("Nobody just now").waitFor();
    },
  })),
  {
    name: "operator-new-run",
    path: "/operator#link=good",
    given: (site) => {
      site.status = exampleStatus(NOTHING_YET);
    },
    async visitor(page, site) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      const none = { versions: [], heldOut: [], volunteers: [], log: [], staleness: [0, 0, 0, 0, 0] };
      site.overview = exampleOverview({ ...none, state: "paused", snapshots: [0] });
      await page.getByText("No volunteer has been here").waitFor();
    },
  },
  {
    name: "status-new-run",
    path: "/status",
    given: (site) => {
      site.status = exampleStatus(NOTHING_YET);
    },
  },
  { name: "person", path: `/person?id=${EXAMPLE_PAGE}` },
  { name: "person-none", path: "/person" },
  { name: "norun", path: "/norun" },
  { name: "lobby", path: "/lobby" },
  {
    name: "lobby-empty",
    path: "/lobby",
    given: (site) => {
      site.lobby = { runs: [] };
    },
  },
  { name: "runs-signed-out", path: "/runs" },
  { name: "runs", path: "/runs#link=good" },
  {
    name: "runs-asking",
    path: "/runs#link=good",
    async visitor(page) {
      await page.getByRole("button", { name: "Archive whales" }).click();
      await page.getByRole("button", { name: "Delete recipes" }).click();
      await page.getByLabel("The run’s name").fill("recipe");
      await page.getByLabel("Name", { exact: true }).fill("dolphins");
      await page.getByRole("button", { name: "Make it" }).click();
      await page.getByText("It waits for its text").waitFor();
    },
  },
  { name: "setup", path: "/operator#link=good", given: withSetup({}) },
  {
    name: "setup-text-here",
    path: "/operator#link=good",
    given: withSetup({
      upload: { name: "whales.jsonl.gz", bytes: 41_300_000, received: 41_300_000, sha256: hashOf("8") },
    }),
    async visitor(page) {
      await page.getByLabel("Volunteers at once").fill("25");
      await page.getByLabel("Tokens a second of one").fill("3100");
    },
  },
  {
    name: "setup-unfinished",
    path: "/operator#link=good",
    given: withSetup({
      upload: { name: "whales.jsonl.gz", bytes: 41_300_000, received: 12_582_912, sha256: null },
      failed: { code: "not-utf8", message: "text.txt is not UTF-8: byte 41 begins no character" },
    }),
  },
  {
    name: "setup-uploading",
    path: "/operator#link=good",
    given: withSetup({
      upload: { name: "whales.txt", bytes: 3_000_000, received: 1_048_576, sha256: null },
    }),
    async visitor(page) {
      await page.route("**/chunk?*", () => {}); // the second piece stays under way
      const buffer = Buffer.alloc(3_000_000, "The whale. ");
      await page
        .getByLabel("Choose a file")
        .setInputFiles({ name: "whales.txt", mimeType: "text/plain", buffer });
      await page.getByRole("progressbar").waitFor();
    },
  },
  {
    name: "setup-corpus",
    path: "/operator#link=good",
    given: withSetup({ corpus: { vocabulary: 4_096, tokens: 12_345_678, bytes: 41_300_000 } }),
  },
  {
    name: "setup-working",
    path: "/operator#link=good",
    given: withSetup({ work: { stage: "encoding", done: 12_000_000, total: 41_300_000 } }),
  },
  ...EMBED_SHOTS,
  ...PEOPLE_SHOTS,
];

async function shoot(context: BrowserContext, dir: string, shot: Shot, file: string) {
  const site = await serveSite(dir);
  const host = await serveSite(dir, hostPage(site.origin));
  shot.given?.(site, host);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") console.error(`${shot.name}: ${message.text()}`);
  });
  await page.goto((shot.path === "/host" ? host : site).origin + shot.path);
  await shot.visitor?.(page, site);
  await page.waitForTimeout(900); // the chart comes by itself, lazily
  await page.screenshot({ path: file, fullPage: true });
  await page.close();
  await site.close();
  await host.close();
}

const [out, ...words] = process.argv.slice(2);
const isWanted = (name: string) => words.length === 0 || words.some((word) => name.includes(word));
if (out === undefined) throw new Error("where to? node test/browser/screenshots.ts OUTDIR [WORD…]");
await mkdir(out, { recursive: true });
const dir = await buildPages();
const browser = await chromium.launch({
  executablePath: findChromium(),
  args: chromiumFlags({ webgpu: true }),
});
for (const width of [360, 1280]) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const shot of SHOTS.filter(({ name }) => isWanted(`${name}-${width}-${colorScheme}`))) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      await shoot(context, dir, shot, join(out, `${shot.name}-${width}-${colorScheme}.png`));
      await context.close();
    }
  }
}
await browser.close();
await removePages(dir);
