import type { Page } from "playwright-core";

/** More stops than any page has. */
const MOST = 80;

/** Goes by the Tab key to what has a name that begins so; from the page's end it begins anew. Throws where it cannot. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < MOST; i++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const { activeElement: at } = document;
      return at?.getAttribute("aria-label") ?? at?.closest("label")?.textContent ?? at?.textContent ?? "";
    });
    if (focused.startsWith(name)) return;
  }
  throw new Error(`the Tab key does not reach ${name}`);
}
