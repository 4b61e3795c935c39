import type { Browser, Page } from "playwright-core";
import { expect, it } from "vitest";
import { EXAMPLE_PAGE, EXAMPLE_TEAM } from "./example-people.ts";
import { exampleLobby } from "./example-runs.ts";
import { exampleStatus } from "./example-status.ts";
import { LONG, LONG_NAME, longSite } from "./long-site.ts";
import { fits, hasNoFault } from "./looks.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { showCode } from "./people-shots.ts";

/** Visitors' pages in the languages that they speak, on a phone: that all is said, fits and has no fault. */

let browser: Browser;
let site: FakeSite;
longSite((opened, launched) => {
  [site, browser] = [opened, launched];
});

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
    site.lobby = exampleLobby({ name: LONG_NAME, card: LONG.card });
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
  site.lobby = exampleLobby({ name: LONG_NAME, card: LONG.card });
  await page.goto(`${site.origin}/lobby`);
  await page.locator("article").first().waitFor();
  await fits(page, "lobby"); // axe would find that a link's long label does not hold its long text, as real ones do
  await context.close();
});
