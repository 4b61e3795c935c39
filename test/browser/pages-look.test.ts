import type { Browser, Page } from "playwright-core";
import { expect, it } from "vitest";
import { EXAMPLE_PAGE, EXAMPLE_TEAM } from "./example-people.ts";
import { exampleLobby } from "./example-runs.ts";
import { exampleStatus } from "./example-status.ts";
import { LONG, LONG_NAME, longSite } from "./long-site.ts";
import { faultsOf, hasNoFault, looksRight } from "./looks.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { showCode } from "./people-shots.ts";
import { tabTo } from "./tab-to.ts";
import { leave } from "./visiting.ts";

let browser: Browser;
let site: FakeSite;
longSite((opened, launched) => {
  [site, browser] = [opened, launched];
});

/** One page for all looks: axe takes a third of its time where its script was compiled before. */
let lookedAt: Page | undefined;

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
    const long = { name: LONG_NAME, operator: "operator.".repeat(8), card: LONG.card };
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
    lookedAt ??= await (await browser.newContext({ reducedMotion: "reduce" })).newPage();
    await lookedAt.setViewportSize({ width: 360, height: 800 });
    await lookedAt.emulateMedia({ colorScheme: "light" });
    await look(lookedAt);
    await looksRight(lookedAt);
    await leave(lookedAt);
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
