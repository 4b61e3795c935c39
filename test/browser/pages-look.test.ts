import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { exampleLobby } from "./example-runs.ts";
import { launchChromium } from "./launch.ts";
import { faultsOf, fits, hasNoFault, looksRight } from "./looks.ts";
import { EXAMPLE_PAGE, EXAMPLE_TEAM, exampleStatus, type FakeSite, serveSite } from "./pages-fixture.ts";
import { showCode } from "./people-shots.ts";
import { tabTo } from "./tab-to.ts";

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
    await page.getByText("The whale was the ship").waitFor(); // of the archive
    await page.getByRole("button", { name: "Help anywhere…" }).click();
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
  async "a person"(page) {
    await page.goto(`${site.origin}/person?id=${EXAMPLE_PAGE}`);
    await page.getByRole("heading", { name: "Ann of the Reeds" }).waitFor();
  },
  async "a team"(page) {
    await page.goto(`${site.origin}/person?team=${EXAMPLE_TEAM.id}`);
    await page.getByRole("heading", { name: EXAMPLE_TEAM.name }).waitFor();
  },
  async "a code for another device, which was read"(page) {
    await page.goto(site.origin);
    const code = await showCode(page);
    await page.getByRole("img", { name: "A QR code" }).waitFor();
    await hasNoFault(page);
    await code.read();
  },
  async "a run that the server chose"(page) {
    await page.goto(site.origin);
    const { run } = exampleStatus();
    const anywhere = JSON.stringify({ server: site.origin, runs: [run] });
    await page.evaluate((kept) => localStorage.setItem("murmuration-anywhere", kept), anywhere);
    await page.goto(`${site.origin}/r/whales/#moved=recipes`);
    await page.getByText("The server moved you here from").waitFor();
    await page.getByText("Fine-tune").click();
    await page.getByLabel("Pause for…").selectOption("an hour");
    await page.getByText("Training resumes by itself").waitFor();
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

/** The volunteer's pages in a language: what was seen on the way has to fit a phone. */
async function walk(page: Page, says: { readonly agree: RegExp; readonly people: RegExp }): Promise<void> {
  await page.goto(site.origin);
  const agree = page.getByRole("button", { name: says.agree });
  await agree.waitFor();
  await page.locator(".uplot canvas").waitFor();
  await fits(page, "consent");
  await hasNoFault(page);
  await agree.click();
  await page.locator('.phase[data-state="training"]').waitFor();
  for (const part of ["details.device", ".choices details", "details.inside"])
    await page.locator(part).first().locator("summary").click();
  await page.getByText(says.people).first().click();
  await page.locator(".leaders, .people .wait").first().waitFor();
  await page.locator(".map").waitFor();
  await fits(page, "training");
  await hasNoFault(page);
}

/** A phone whose visitor reads a language. */
const phone = (locale: string) =>
  browser.newContext({ locale, reducedMotion: "reduce", viewport: { width: 360, height: 800 } });

it("a visitor's page is in the language that the browser asks for, fits a phone, and axe finds no fault", async () => {
  const context = await phone("de-CH");
  const page = await context.newPage();
  await walk(page, { agree: /^Training starten$/, people: /^Namen und deine Daten$/ });
  expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])).toEqual([
    "de",
    "ltr",
  ]);
  await context.close();
});

it.each([
  ["German", "de-DE", { ask: "Überall helfen …", page: "Hier prüfen", open: "Namen und deine Daten" }],
  [
    "long words from right to left",
    "ar-XB",
    { ask: " Help anywhere… ", page: " Check them here ", open: " Names, and your data " },
  ],
])(
  "in %s the runs of a server, a person, a team, a code and a move fit a phone, and axe finds no fault",
  async (_, locale, says) => {
    const context = await phone(locale === "ar-XB" ? "en-US" : locale);
    if (locale === "ar-XB")
      await context.addInitScript(() => localStorage.setItem("murmuration-language", "ar-XB"));
    const page = await context.newPage();
    const looks = async (name: string) => {
      await fits(page, name);
      // Between the marks of the pseudo-locale a label does not hold its text, as real ones do.
      const rules = { "label-content-name-mismatch": { enabled: locale !== "ar-XB" } };
      await hasNoFault(page, { rules });
    };
    site.lobby = exampleLobby({ name: "Donaudampfschiff".repeat(5), card: LONG.card });
    await page.goto(`${site.origin}/lobby`);
    await page.getByRole("button", { name: says.ask }).click();
    await looks("lobby");
    await page.goto(`${site.origin}/person?id=${EXAMPLE_PAGE}`);
    await page.getByRole("button", { name: says.page }).waitFor();
    await looks("person");
    await page.goto(`${site.origin}/person?team=${EXAMPLE_TEAM.id}`);
    await page.getByRole("heading", { name: EXAMPLE_TEAM.name }).waitFor();
    await looks("team");
    await page.goto(site.origin);
    const code = await showCode(page, says.open);
    await looks("code");
    await code.read();
    await looks("code, read");
    const anywhere = JSON.stringify({ server: site.origin, runs: [exampleStatus().run] });
    await page.evaluate((kept) => localStorage.setItem("murmuration-anywhere", kept), anywhere);
    await page.goto(`${site.origin}/r/whales/#moved=recipes`);
    await page.locator("aside.notice").waitFor();
    await looks("moved");
    await context.close();
  },
);

it("the runs of a server, a person and a code can be used by the keyboard alone", async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  site.lobby = exampleLobby();
  await page.goto(`${site.origin}/lobby`);
  await tabTo(button("Help anywhere…"));
  await page.keyboard.press("Enter");
  await tabTo(button("Not now"));
  await page.keyboard.press("Enter");
  for (const name of [
    "Status of Cymraeg",
    "Download the model of Moby-Dick",
    "The last version’s proof, its signed record: Moby-Dick",
  ])
    await tabTo(page.getByRole("link", { name }));
  await tabTo(page.getByRole("link", { name: "Look and take part in Cymraeg" }));
  await page.keyboard.press("Enter");
  await page.waitForURL(`${site.origin}/r/welsh/`);
  await button("Start training").waitFor();
  await page.goto(`${site.origin}/person?id=${EXAMPLE_PAGE}`);
  await tabTo(button("Check them here"));
  await page.keyboard.press("Enter");
  await page.getByRole("table").getByRole("link").first().waitFor();
  await tabTo(page.getByRole("table").getByRole("link").first());
  await page.goto(site.origin);
  const code = await showCode(page);
  await code.read();
  await tabTo(button("No"));
  await page.keyboard.press("Enter");
  await page.getByText("Nothing was sent.").waitFor();
  await tabTo(page.getByLabel("A code that another device of yours shows, or its link"));
  await page.keyboard.type("no code");
  await page.keyboard.press("Enter");
  await page.getByText("This is no code of this run").waitFor();
  await context.close();
});

it("the switch changes every text at once, and the visitor's choice is remembered", async () => {
  const context = await phone("de-DE");
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.getByText("Namen und deine Daten").click();
  await page.getByText("Freiwillige mit Namen").waitFor();
  await page.getByLabel("Sprache").selectOption("en");
  await page.getByText("Named volunteers").waitFor(); // also in a part that was opened
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("en");
  expect(await page.getByText(/Freiwillige/).count()).toBe(0);
  await page.reload();
  await page.getByRole("button", { name: "Start training" }).waitFor();
  await page.goto(`${site.origin}/frame`);
  await page.getByRole("button", { name: "Yes, help train" }).waitFor();
  await context.close();
});

it("a language whose texts do not come leaves the page as it is, and says so", async () => {
  const context = await phone("en-US");
  const page = await context.newPage();
  await page.route(/words-volunteer-de/, (route) => route.abort());
  await page.goto(site.origin);
  await page.getByLabel("Language").selectOption("de");
  await page.getByRole("alert").getByText("could not be loaded").waitFor();
  expect(await page.getByLabel("Language").inputValue()).toBe("en");
  await page.getByRole("button", { name: "Start training" }).waitFor();
  await context.close();
});

it("long words from right to left fit a phone, in the page and in the frame, and axe finds no fault", async () => {
  const context = await phone("en-US");
  await context.addInitScript(() => localStorage.setItem("murmuration-language", "ar-XB"));
  const page = await context.newPage();
  await walk(page, { agree: / Start training /, people: / Names, and your data / });
  expect(await page.evaluate(() => document.documentElement.dir)).toBe("rtl");
  await page.goto(`${site.origin}/frame`);
  await page.getByRole("button", { name: / Yes, help train / }).waitFor();
  await fits(page, "frame");
  await hasNoFault(page);
  await page.goto(`${site.origin}/playground`);
  await page.getByRole("button", { name: / Load the model / }).click();
  await page.locator("button[type=submit]").click();
  await page.getByText(" What it would write next ").waitFor();
  await fits(page, "playground");
  await hasNoFault(page);
  site.lobby = exampleLobby({ name: "Donaudampfschiff".repeat(5), card: LONG.card });
  await page.goto(`${site.origin}/lobby`);
  await page.locator("article").first().waitFor();
  await fits(page, "lobby"); // axe would find that a link's long label does not hold its long text, as real ones do
  await context.close();
});

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
