import { AxeBuilder } from "@axe-core/playwright";
import type { Page } from "playwright-core";
import { expect } from "vitest";

/** From a phone's width to a large laptop's, in pixels. */
const WIDTHS = [360, 768, 1_280, 1_440];

/** No fault that axe finds in light or dark, and no sideways scroll at any width: of the page and of all its frames. */
export async function looksRight(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      for (const part of page.frames()) {
        // A chart is drawn anew for its new width in a later frame.
        const over = () =>
          part.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        await expect.poll(over, { message: `${width} px` }).toBeLessThanOrEqual(0);
      }
    }
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`)).toEqual(
      [],
    );
  }
}
