import type { Page } from "playwright-core";
import { LANGUAGES, PSEUDO } from "../../client/language/languages.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { NOTHING_YET, type Shot, withoutParts } from "./shot.ts";

const agree = (page: Page) => page.getByRole("button", { name: "Start training" }).click();
const withPhase = (last: Parameters<typeof trainingScript>[0]) => (site: FakeSite) => {
  site.script = trainingScript(last);
};

const startsWith = (phase: Parameters<typeof trainingScript>[0]) => (site: FakeSite) => {
  site.script = phase === undefined ? [] : [{ type: "phase", phase }];
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

/** Trains at noon, with what can be tuned in sight. */
async function fineTune(page: Page): Promise<void> {
  await page.clock.setFixedTime(new Date(2026, 10, 23, 12, 0));
  await page.reload();
  await agree(page);
  await page.getByText("Fine-tune").click();
}

/** The page of a volunteer, from consent to the end of a run. */
export const VISITOR_SHOTS: readonly Shot[] = [
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
      await fineTune(page);
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
      await fineTune(page);
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
];
