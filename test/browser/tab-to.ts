import type { Locator } from "playwright-core";

/** More stops than any page has. */
const MAX_STOPS = 100;

/** Goes by the Tab key until `target` has the focus; from the page's end it begins anew. Throws where it cannot. */
export async function tabTo(target: Locator): Promise<void> {
  await target.waitFor();
  for (let i = 0; i < MAX_STOPS; i++) {
    // Of a frame's element that is active the frame has to be, too.
    if (await target.evaluate((one) => one === document.activeElement && document.hasFocus())) return;
    await target.page().keyboard.press("Tab");
  }
  throw new Error(`the Tab key does not reach ${target}`);
}
