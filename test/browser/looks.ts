import { AxeBuilder } from "@axe-core/playwright";
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
    for (const part of page.frames()) {
      // A chart is drawn anew for its new width in a later frame.
      const over = () =>
        part.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      await expect.poll(over, { message: `${width} px` }).toBeLessThanOrEqual(0);
    }
  }
  await hasNoFault(new AxeBuilder({ page }));
  await page.emulateMedia({ colorScheme: "dark" });
  await hasNoFault(new AxeBuilder({ page }).withRules(OF_COLOURS));
}

async function hasNoFault(axe: AxeBuilder): Promise<void> {
  const { violations } = await axe.analyze();
  const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
  expect(faults).toEqual([]);
}
