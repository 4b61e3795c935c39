import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { exampleLobby } from "./example-runs.ts";
import { launchChromium } from "./launch.ts";
import { faultsOf, looksRight } from "./looks.ts";
import { exampleStatus, type FakeSite, serveSite } from "./pages-fixture.ts";

/** What an operator may write at most without a blank. */
const LONG = {
  card: {
    ...{ purpose: "purpose".repeat(40), who: "W".repeat(120), modelLicence: "L".repeat(80) },
    ...{ link: `https://reeds.example/${"x".repeat(170)}`, textSource: "S".repeat(300) },
  },
  prompts: ["P".repeat(200)],
};

let browser: Browser;
let site: FakeSite;

beforeAll(async () => {
  browser = await launchChromium();
  site = await serveSite(inject("pages"));
  // The longest word a name may be: nothing may push the page wider than the screen.
  site.status = exampleStatus({
    name: "Donaudampfschiff".repeat(5),
    operator: "operator.".repeat(8),
    ...LONG,
  });
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

/** Brings a page into one of its looks; real runs' tests look at the dashboard and the embed. */
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
  async "the runs of a server"(page) {
    const long = { name: "Donaudampfschiff".repeat(5), operator: "operator.".repeat(8), card: LONG.card };
    site.lobby = exampleLobby(long);
    await page.goto(`${site.origin}/lobby`);
    await page.getByRole("heading", { name: "Cymraeg" }).waitFor();
  },
  async "the runs of an operator"(page) {
    await page.goto(`${site.origin}/runs#link=good`);
    await page.getByRole("button", { name: "Archive whales" }).click();
    await page.getByRole("button", { name: "Delete recipes" }).click();
    await page.getByLabel("The run’s name").fill("recipe");
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
  norun: (page) => page.goto(`${site.origin}/norun`),
  frame: (page) => page.goto(`${site.origin}/frame`),
};

it.each(Object.entries(LOOKS))(
  "%s fits every width, and axe finds no fault, in light and dark",
  async (_, look) => {
    const context = await browser.newContext({ reducedMotion: "reduce" });
    const page = await context.newPage();
    await page.setViewportSize({ width: 360, height: 800 });
    await look(page);
    await looksRight(page);
    await context.close();
  },
);

it("the control: a picture without words and pale text are found, on a page and in another site's frame", async () => {
  const page = await browser.newPage();
  const faulty = '<img src="#"><p style="color: #eee">pale</p>';
  const bodies = { faulty, host: '<iframe title="A frame" src="http://faulty.test/"></iframe>' };
  for (const [name, body] of Object.entries(bodies)) {
    await page.route(`http://${name}.test/`, (route) =>
      route.fulfill({
        contentType: "text/html",
        body: `<html lang="en"><title>A page</title><main><h1>A page</h1>${body}</main>`,
      }),
    );
    await page.goto(`http://${name}.test/`);
    const found = (await faultsOf(page)).map((fault) => fault.split(":")[0]);
    expect(found.sort(), name).toEqual(["color-contrast", "image-alt"]);
  }
  await page.close();
});
