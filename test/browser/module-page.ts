import { join } from "node:path";
import type { Page } from "playwright-core";
import { beforeAll } from "vitest";
import { serveModule } from "./bundle.ts";
import { launchChromium } from "./launch.ts";

/** Gives the tests of a file one page in a Chromium with WebGPU, which has loaded a module of this folder. */
export function modulePage(module: string): { readonly page: Page } {
  let page: Page;
  beforeAll(async () => {
    const served = await serveModule(join(import.meta.dirname, module));
    const browser = await launchChromium({ webgpu: true });
    page = await browser.newPage();
    await page.goto(served.url);
    return async () => {
      await browser.close();
      await served.close();
    };
  });
  return {
    get page() {
      return page;
    },
  };
}
