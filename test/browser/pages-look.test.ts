import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { launchChromium } from "./launch.ts";
import { exampleStatus, type FakeSite, hostPage, serveSite } from "./pages-fixture.ts";

let browser: Browser;
let site: FakeSite;
let host: FakeSite;

beforeAll(async () => {
  const pages = inject("pages");
  browser = await launchChromium();
  site = await serveSite(pages);
  host = await serveSite(pages, hostPage(site.origin));
  // The longest word a name may be: nothing may push the page wider than the screen.
  site.status = exampleStatus({ name: "Donaudampfschiff".repeat(5), operator: "operator.".repeat(8) });
});
afterAll(async () => {
  await browser.close();
  await Promise.all([site.close(), host.close()]);
});

/** Brings a page into one of its looks. */
const LOOKS: Record<string, (page: Page) => Promise<unknown>> = {
  async consent(page) {
    await page.goto(site.origin);
    await page.locator(".uplot canvas").waitFor();
  },
  async training(page) {
    await page.goto(site.origin);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("Training on a passage").waitFor();
    await page.locator("details.device").click();
    await page.getByText("Fine-tune").click();
    await page.getByText("A look inside").click();
    await page.getByText("Where tokens lie").waitFor();
  },
  async status(page) {
    await page.goto(`${site.origin}/status`);
    await page.locator(".uplot canvas").waitFor();
  },
  async playground(page) {
    await page.goto(`${site.origin}/playground`);
    await page.getByRole("button", { name: /Load the model/ }).click();
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.getByText("What it would write next").waitFor();
  },
  async "names and data"(page) {
    await page.goto(site.origin);
    await page.getByText("Names, and your data").click();
    await page.getByText("Ann of the Reeds").waitFor();
    await page.getByRole("button", { name: "Forget me…" }).click();
  },
  async how(page) {
    await page.goto(`${site.origin}/how`);
    await page.getByRole("button", { name: "Let it learn" }).click();
    await page.getByText(/^[1-9]\d* step/).waitFor();
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText("Resting").waitFor();
  },
  async bench(page) {
    await page.goto(`${site.origin}/bench`);
    await page.getByRole("button", { name: "Measure" }).waitFor();
  },
  "operator, signed out": (page) => page.goto(`${site.origin}/operator`),
  async operator(page) {
    await page.goto(`${site.origin}/operator#link=good`);
    await page.locator(".uplot canvas").first().waitFor();
    await page.getByRole("button", { name: "Finish…" }).click();
  },
  norun: (page) => page.goto(`${site.origin}/norun`),
  frame: (page) => page.goto(`${site.origin}/frame`),
  async "embed, asking"(page) {
    await page.goto(`${host.origin}/host`);
    await page.getByRole("button", { name: "Help train our reader" }).click();
    await page.frameLocator("iframe").getByText("Yes, help train").waitFor();
  },
  async "embed, training"(page) {
    await page.goto(`${host.origin}/host`);
    await page.getByRole("button", { name: "Help train our reader" }).click();
    await page.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).click();
    await page.frameLocator("iframe").getByText("Training on a passage").waitFor();
  },
};

const WIDTHS = [360, 768, 1280, 1440];

describe.each(Object.entries(LOOKS))("%s", (_, look) => {
  it.each(["light", "dark"] as const)("fits every width, and axe finds no fault, in %s", async (scheme) => {
    const context = await browser.newContext({ colorScheme: scheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.setViewportSize({ width: 360, height: 800 });
    await look(page);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`)).toEqual(
      [],
    );
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      // The chart is drawn anew for its new width in a later frame.
      const needed = () => page.evaluate(() => document.documentElement.scrollWidth);
      await expect.poll(needed, { message: `${width} px` }).toBeLessThanOrEqual(width);
    }
    await context.close();
  });
});
