import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import { launchChromium } from "./launch.ts";
import { type FakeSite, serveSite } from "./pages-fixture.ts";

/** A visitor of a fake site. */
export interface Visit {
  readonly site: FakeSite;
  readonly page: Page;
  /** What the console called an error, policy violations among it, and what the page threw. */
  readonly errors: string[];
  /** Has the next test get another page: for a test that cannot leave this one as it was. */
  retire(): void;
}

/**
 * Gives each test of a file a fake site, in one page for all of them: its process has the scripts compiled from the test
 * before, which halves what a test takes. Each site has an origin of its own, so nothing that was stored is seen again.
 */
export function visitSite(use: (visit: Visit) => void, options: BrowserContextOptions = {}): void {
  let browser: Browser;
  let page: Page | undefined;
  let site: FakeSite;
  let retired: boolean;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    site = await serveSite(inject("pages"));
    page ??= await (await browser.newContext(options)).newPage();
    const errors: string[] = [];
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    retired = false;
    const retire = () => {
      retired = true;
    };
    use({ site, page, errors, retire });
  });
  afterEach(async ({ task }) => {
    if (retired || task.result?.state === "fail") {
      await page?.context().close();
      page = undefined;
    } else if (page) await leave(page);
    await site.close();
  });
}

/** Ends what a page does, and takes back what a test has made of it. */
export async function leave(page: Page): Promise<void> {
  await page.unrouteAll({ behavior: "ignoreErrors" });
  page.removeAllListeners();
  await page.goto("about:blank");
  await page.mouse.move(0, 0); // else it points at what comes there next
  await page.context().clearCookies();
}
