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
}

/** Gives each test of a file a fake site and a page of its own, in one browser for all of them. */
export function visitSite(use: (visit: Visit) => void, options: BrowserContextOptions = {}): void {
  let browser: Browser;
  let visit: Visit;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    const site = await serveSite(inject("pages"));
    const errors: string[] = [];
    const page = await (await browser.newContext(options)).newPage();
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("pageerror", (error) => errors.push(String(error)));
    visit = { site, page, errors };
    use(visit);
  });
  afterEach(async () => {
    await visit.page.context().close();
    await visit.site.close();
  });
}
