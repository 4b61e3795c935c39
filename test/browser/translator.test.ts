import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { exampleOverview, exampleSetup } from "./example-operator.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { translate } from "./translator.ts";
import { visitSite } from "./visiting.ts";

/** A visitor whose browser translates the page while it is used. */
let site: FakeSite;
let page: Page;
let errors: string[];

visitSite((visit) => {
  ({ site, page, errors } = visit);
});

const press = (name: string) => page.getByRole("button", { name }).click();
const shows = (words: string) => page.getByText(`«${words}`).first().waitFor();

describe("under a translator", () => {
  it("the volunteer's words follow what happens, and Pause becomes Resume", async () => {
    await page.goto(site.origin);
    await page.getByRole("button", { name: "Start training" }).waitFor();
    await translate(page);
    await press("«Start training»");
    await shows("Training on a passage");
    await press("«Pause»");
    await shows("Paused by you");
    expect(await page.getByText("Training on a passage").count()).toBe(0);
    expect(await page.locator("button[data-state=paused]").innerText()).toBe("«Resume»");
    await press("«Resume»");
    await shows("Training on a passage");
    const { version, modelHash } = exampleStatus();
    site.emit({
      type: "version",
      version: version + 1,
      hash: modelHash,
      deltas: 1,
      tokens: 5_120,
      ms: 1,
      diffBytes: 1,
    });
    await shows("161");
    await press("«Stop»");
    await shows("Stopped. Nothing is running.");
    await press("«Start again»");
    await shows("Training on a passage");
    expect(errors).toEqual([]);
  });

  it("the box on another site's page pauses and goes on", async () => {
    await page.goto(`${site.origin}/frame`);
    await page.getByRole("button", { name: "Yes, help train" }).waitFor();
    await translate(page);
    await press("«Yes, help train»");
    await shows("Training on a passage");
    await press("«Pause»");
    await shows("Paused by you");
    await press("«Resume»");
    await shows("Training on a passage");
    expect(errors).toEqual([]);
  });

  it("the operator's and the status page tell of new numbers", async () => {
    site.overview = exampleOverview();
    await page.goto(`${site.origin}/operator`);
    await page.getByRole("heading", { name: "Moby Dick, nightly" }).waitFor();
    await translate(page);
    await page.getByRole("button", { name: "«Pause" }).first().waitFor();
    site.status = exampleStatus({ state: "paused" });
    site.overview = exampleOverview({ state: "paused" });
    await page.getByRole("button", { name: "«Start" }).first().waitFor();
    await page.goto(`${site.origin}/status`);
    await page.getByRole("heading", { name: "Moby Dick, nightly" }).waitFor();
    await translate(page);
    site.status = exampleStatus({ version: 4_321 });
    await shows("4,321");
    expect(errors).toEqual([]);
  });

  it("a run is made, and a text is written on", async () => {
    site.overview = exampleOverview();
    site.setup = exampleSetup();
    await page.goto(`${site.origin}/operator`);
    await page.getByRole("heading", { name: /text/i }).first().waitFor();
    await translate(page);
    site.setup = exampleSetup({ freeBytes: 1_230_000_000 });
    await page
      .getByText(/«.*1\.23 GB/)
      .first()
      .waitFor();
    await page.goto(`${site.origin}/playground`);
    await page.getByRole("button", { name: /Load/ }).waitFor();
    await translate(page);
    await page.getByRole("button", { name: /«Load/ }).click();
    await page.getByRole("button", { name: "«Write" }).first().waitFor();
    expect(errors.filter((line) => !line.includes("503"))).toEqual([]); // of a server without a run
  });

  it("the control: a text node that Preact writes into and a translator took away changes no more", async () => {
    await page.goto(site.origin);
    const [bare, whole] = await page.evaluate(() => {
      const written = (update: (holder: HTMLElement, node: Text, words: string) => void) => {
        const holder = document.createElement("button");
        const node = new Text("Pause");
        holder.append(node);
        const font = document.createElement("font");
        font.textContent = "«Pause»";
        node.replaceWith(font);
        update(holder, node, "Resume");
        return holder.textContent;
      };
      return [
        written((_, node, words) => {
          node.data = words;
        }),
        written((holder, _, words) => {
          holder.textContent = words;
        }),
      ];
    });
    expect(bare).toBe("«Pause»");
    expect(whole).toBe("Resume");
  });
});

it("what a passage and a sample say is not for translators: it is the text and the model's own", async () => {
  site.script = trainingScript();
  await page.goto(site.origin);
  await press("Start training");
  await page.getByText("Call").first().waitFor();
  await translate(page);
  expect(await page.locator(".tokens font, blockquote font").count()).toBe(0);
});
