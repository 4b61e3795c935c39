import { join } from "node:path";
import type { Page } from "playwright-core";
import { serveModule } from "./bundle.ts";
import { launchChromium } from "./launch.ts";

/** A page in a Chromium with WebGPU that has loaded a module of this folder. */
export interface ModulePage {
  readonly page: Page;
  close(): Promise<void>;
}

export async function openModulePage(module: string): Promise<ModulePage> {
  const served = await serveModule(join(import.meta.dirname, module));
  const browser = await launchChromium({ webgpu: true });
  const page = await browser.newPage();
  await page.goto(served.url);
  return {
    page,
    close: async () => {
      await browser.close();
      await served.close();
    },
  };
}
