import type { Browser } from "playwright-core";
import { afterEach, beforeAll, beforeEach, inject } from "vitest";
import { exampleStatus } from "./example-status.ts";
import { launchChromium } from "./launch.ts";
import { type FakeSite, serveSite } from "./pages-fixture.ts";

/** What an operator may write at most without a blank. */
export const LONG = {
  card: {
    ...{ purpose: "purpose".repeat(40), who: "W".repeat(120), modelLicence: "L".repeat(80) },
    ...{ link: `https://reeds.example/${"x".repeat(170)}`, textSource: "S".repeat(300) },
  },
  prompts: ["P".repeat(200)],
};

/** The longest word a name may be: nothing may push the page wider than the screen. */
export const LONG_NAME = "Donaudampfschiff".repeat(5);

/** Gives the tests of a file one browser, and each a site whose run says all that it may, in the longest words. */
export function longSite(use: (site: FakeSite, browser: Browser) => void): void {
  let browser: Browser;
  let site: FakeSite;
  beforeAll(async () => {
    browser = await launchChromium();
    return () => browser.close();
  });
  beforeEach(async () => {
    site = await serveSite(inject("pages"));
    site.status = exampleStatus({ name: LONG_NAME, operator: "operator.".repeat(8), ...LONG });
    use(site, browser);
  });
  afterEach(() => site.close());
}
