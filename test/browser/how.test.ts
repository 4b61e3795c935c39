import type { Page } from "playwright-core";
import { beforeEach, describe, expect, it } from "vitest";
import type { FakeSite } from "./pages-fixture.ts";
import { smoothness } from "./tasks.ts";
import { visitSite } from "./visiting.ts";

let site: FakeSite;
let page: Page;
let errors: string[];

visitSite(
  (visit) => {
    ({ site, page, errors } = visit);
    visit.retire(); // what tasks take is measured in a page of its own
  },
  { reducedMotion: "no-preference" },
);
beforeEach(async () => {
  await page.goto(`${site.origin}/how`);
});

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const progress = () => page.locator(".progress").textContent();
const right = async () => Number(/reads ([\d.]+)%/.exec((await progress()) ?? "")?.[1] ?? Number.NaN);
const step = async () => Number(/^([\d,]+) step/.exec((await progress()) ?? "")?.[1]?.replace(",", ""));
/** The canvas' bytes, to see whether it changed. */
const drawn = (label: string) =>
  page
    .getByRole("img", { name: label, exact: true })
    .evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

describe("how training works", () => {
  it("fetches nothing of it before it is asked to, and tells the run's own numbers at once", async () => {
    await page
      .getByText("Version 160 hesitates among 22")
      .or(page.getByText("Version 160 hesitates among 23"))
      .waitFor();
    await page.getByText("Version 160 was made of 4 deltas, from 20,480 tokens of text.").waitFor();
    await page.getByText("tokens, out of 512 that the model knows").waitFor();
    expect(page.workers()).toHaveLength(0);
    expect(site.asked.filter((path) => /digits|tfjs/.test(path))).toEqual([]);
  });

  it("learns to read digits it never learnt from, in the page, which stays smooth", async () => {
    await press("Let it learn");
    await page.getByRole("checkbox", { name: "As fast as it can" }).check();
    await page.getByText(/^[1-9]\d* steps/).waitFor({ timeout: 30_000 });
    const before = await drawn("Filter 1 before the first step");
    const longest = await smoothness(page, async () => {
      const steps = (await step()) + 50;
      await expect.poll(right, { timeout: 150_000 }).toBeGreaterThan(90);
      await expect.poll(step, { timeout: 30_000 }).toBeGreaterThan(steps);
    });
    expect(longest.count).toBeGreaterThan(50);
    expect(longest.ms).toBeLessThan(50);
    await press("Pause");
    await page.getByText("Resting").waitFor();
    expect(await drawn("Filter 1 before the first step")).toBe(before);
    expect(await drawn("Filter 1 now")).not.toBe(before);
    expect(errors).toEqual([]);
  });

  it("takes one step at a time, rests when told to, and starts over", async () => {
    await press("Let it learn");
    await page.getByText(/^[1-9]\d* step/).waitFor({ timeout: 30_000 });
    await press("Pause");
    await page.getByText("Resting").waitFor();
    const rested = await step();
    await press("One step");
    await expect.poll(step, { timeout: 30_000 }).toBe(rested + 1);
    await page.getByText("Resting").waitFor();
    await press("Start over");
    await expect.poll(step, { timeout: 30_000 }).toBe(0);
    expect(await drawn("Filter 3 now")).toBe(await drawn("Filter 3 before the first step"));
  });

  it("moves nothing by itself for who asked for less motion, and moves by the keyboard", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.reload();
    await press("Let it learn");
    await page.getByText(/^[1-9]\d* step/).waitFor({ timeout: 30_000 });
    await press("Pause");
    await page.getByText("Resting").waitFor();
    await page.getByRole("button", { name: "Slide", exact: true }).waitFor();
    const window = page.getByRole("slider", { name: "Place of the window" });
    const at = await window.inputValue();
    const question = await page.locator(".asked").textContent();
    await window.press("ArrowRight");
    expect(await window.inputValue()).toBe(String(Number(at) + 1));
    expect(await page.locator(".asked").textContent()).toBe(question);
    await page.getByRole("button", { name: "Filter 5" }).press("Enter");
    await page.getByRole("img", { name: "Feature map of filter 5" }).waitFor();
  });

  it("says what is wrong where the digits cannot be had, and tells the rest without the run", async () => {
    site.status = "away";
    await page.route("**/digits.bin.gz", (route) => route.fulfill({ status: 404 }));
    await page.reload();
    await page.getByText("cannot be reached just now").waitFor();
    await press("Let it learn");
    await page.getByRole("alert").getByText("the digits: HTTP 404").waitFor();
  });
});
