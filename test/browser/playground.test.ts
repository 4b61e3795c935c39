import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import type { FakeSite } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

let site: FakeSite;
let page: Page;
let errors: string[];

visitSite((visit) => {
  ({ site, page, errors } = visit);
});
beforeEach(async () => {
  await page.goto(`${site.origin}/playground`);
});

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const shows = (text: string | RegExp) => page.getByText(text).first().waitFor();

describe("the playground", () => {
  it("fetches no model before it is asked to, and says how much that is", async () => {
    await shows("at most 1.14 MB");
    expect(page.workers()).toHaveLength(0);
    await press("Load the model (at most 1.14 MB)");
    await shows("Version 159 is loaded.");
    await press("Take version 160");
    await shows("Version 159 is loaded.");
  });

  it("writes with the temperature and the number of choices that are set, and differently when asked", async () => {
    await page.getByRole("button", { name: /Load the model/ }).click();
    await page.getByRole("slider", { name: "Temperature" }).focus();
    await page.keyboard.press("End");
    await page.getByRole("slider", { name: "Choose among" }).focus();
    await page.keyboard.press("Home");
    await shows("the likeliest token only");
    await press("Write");
    await shows("[2, 1, 1]");
    await press("Write it another way");
    await shows("[2, 1, 2]");
    await shows("812 tokens a second");
    expect(errors).toEqual([]);
  });

  it("A12: shows what the model wrote as text, whatever it wrote", async () => {
    await page.getByRole("button", { name: /Load the model/ }).click();
    await page.getByRole("textbox").fill("<script>document.title='x'</script>");
    await press("Write");
    await shows("<b>the captain</b> had not");
    expect(await page.locator("#page img, #page script, #page b").count()).toBe(0);
  });

  it("holds an early sample of the visitor's choice beside the newest", async () => {
    await page.getByRole("combobox", { name: "Compare with version" }).selectOption("16");
    await shows("The whale was the sead of the boat");
    await shows("Written by version 16, unedited.");
    await shows("Written by version 160, unedited.");
  });
});
