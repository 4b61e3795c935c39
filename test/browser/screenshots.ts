/**
 * Every state of every page as a picture, to be looked at: `node test/browser/screenshots.ts OUTDIR [WORD…]`.
 * Words keep only the pictures whose name holds one of them.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { findChromium } from "./chromium.ts";
import { EMBED_SHOTS } from "./embed-shots.ts";
import { chromiumFlags } from "./flags.ts";
import { OPERATOR_SHOTS } from "./operator-shots.ts";
import { PAGE_SHOTS } from "./page-shots.ts";
import { buildPages, hostPage, removePages, serveSite } from "./pages-fixture.ts";
import { PEOPLE_SHOTS } from "./people-shots.ts";
import type { Shot } from "./shot.ts";
import { VISITOR_SHOTS } from "./visitor-shots.ts";

const SHOTS: readonly Shot[] = [
  ...VISITOR_SHOTS,
  ...PAGE_SHOTS,
  ...OPERATOR_SHOTS,
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
