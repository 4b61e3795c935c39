import axe, { type AxeResults, type RunOptions } from "axe-core";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** From a phone's width to a large laptop's, in pixels. */
const WIDTHS = [360, 768, 1_280, 1_440];

/** axe's rules whose answer depends on colours. All others say the same in light and dark, and cost most of its time. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** No fault that axe finds in light or dark, and no sideways scroll at any width: of the page and of all its frames. */
export async function looksRight(page: Page): Promise<void> {
  await page.emulateMedia({ colorScheme: "light" });
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    await fits(page, `${width} px`);
  }
  await hasNoFault(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await hasNoFault(page, { runOnly: OF_COLOURS });
}

/** No sideways scroll of the page and of its frames, as wide as the page is now. */
export async function fits(page: Page, message: string): Promise<void> {
  for (const part of page.frames()) {
    // A chart is drawn again for its new width in a later frame.
    const over = () =>
      part.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await expect.poll(over, { message }).toBeLessThanOrEqual(0);
  }
}

/** No fault that axe finds as the page stands. */
export async function hasNoFault(page: Page, options?: RunOptions): Promise<void> {
  expect(await faultsOf(page, options)).toEqual([]);
}

/** axe's rules for a whole page, which a frame is a part of. */
const OF_PAGES = { rules: { "page-has-heading-one": { enabled: false } } };

/** What axe finds in a page and in its frames, each by itself: a frame may be another site's. */
export async function faultsOf(page: Page, options: RunOptions = {}): Promise<string[]> {
  const faults: string[] = [];
  for (const frame of page.frames()) {
    if (await frame.evaluate(() => !("axe" in globalThis))) await frame.evaluate(axe.source);
    // Its whole report is of a hundred rules: the faults alone leave the page.
    const found = await frame.evaluate(
      async (options) => {
        const { violations }: AxeResults = await Reflect.get(globalThis, "axe").run(options);
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
      },
      {
        resultTypes: ["violations" as const],
        iframes: false,
        ...(frame.parentFrame() !== null && !options.runOnly && OF_PAGES),
        ...options,
      },
    );
    faults.push(...found);
  }
  return faults;
}
