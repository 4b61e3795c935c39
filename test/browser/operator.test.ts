import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { exampleOverview, exampleSetup } from "./example-operator.ts";
import { exampleStatus, hashOf } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { tabTo } from "./tab-to.ts";
import { visitSite } from "./visiting.ts";

let site: FakeSite;
let page: Page;

visitSite((visit) => {
  ({ site, page } = visit);
});

const signIn = async () => {
  await page.goto(`${site.origin}/operator#link=good`);
  await page.getByRole("heading", { name: "Run it" }).waitFor();
};

describe("the operator's page", () => {
  it("says how to sign in, and shows nothing else, to who is not signed in", async () => {
    await page.goto(`${site.origin}/operator`);
    await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
    expect(await page.getByRole("button").count()).toBe(0);
  });

  it("uses a link up and takes it out of the address", async () => {
    await signIn();
    expect(page.url()).toBe(`${site.origin}/operator`);
    await page.getByText("Signed in as Ann").waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "You are not signed in" }).waitFor();
  });

  it("says that a link is worth nothing any more", async () => {
    await page.goto(`${site.origin}/operator#link=used`);
    await page.getByText("This link was used before").waitFor();
  });

  it("is run by keyboard alone: pause, settings, and finishing only after a second look", async () => {
    await signIn();
    const press = async (name: string) => {
      await tabTo(page.getByRole("button", { name, exact: true }));
      await page.keyboard.press("Enter");
    };
    await press("Pause");
    await page.getByText("Paused.").waitFor();
    await page.getByLabel("Quorum").focus();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("9");
    await press("Apply");
    await page.getByText("Applied.").waitFor();
    await page.getByRole("button", { name: "Finish…" }).focus();
    await page.keyboard.press("Enter");
    await press("Finish for good");
    await page.getByText("Finished.", { exact: true }).waitFor();
    expect(site.done).toEqual([
      { action: "pause" },
      { action: "tune", changes: { quorum: 9 } },
      { action: "finish" },
    ]);
  });

  it("tells in a line what a version was made of", async () => {
    await signIn();
    await page.getByText("Connected at version 160.").waitFor();
    const version = {
      version: 161,
      hash: hashOf("5"),
      diffBytes: 151_600,
      deltas: 9,
      tokens: 46_080,
      ms: 6_200,
    };
    site.emit({ type: "version", ...version });
    // What was refused, and what its volunteers report, the operator's own view of the run tells.
    const { versions } = exampleOverview();
    const point = {
      version: 161,
      at: 1_771_000,
      tokens: 3_340_000,
      deltas: 9,
      came: 11,
      ms: 6_200,
      loss: 3.4124,
    };
    site.overview = exampleOverview({ versions: [...versions, point] });
    await page.getByText("Version 161: 9 of 11 deltas merged, loss 3.412, 6.2 s.").waitFor();
  });

  it("shows what needs a look", async () => {
    await signIn();
    site.overview = exampleOverview({
      alerts: ["no version for 7 minutes, with 3 volunteers here"],
      draining: true,
    });
    await page.getByText("no version for 7 minutes").waitFor();
    await page.getByText("Draining", { exact: true }).waitFor();
  });

  it("A12: makes markup of nothing that others wrote", async () => {
    const evil = [
      `<img src=x onerror="window.hit=1">`,
      `"><script>window.hit=1</script>`,
      `<svg onload=window.hit=1>`,
      "javascript:window.hit=1",
      `'-window.hit=1-'`,
      "{{constructor.constructor('window.hit=1')()}}",
      `<a href="javascript:window.hit=1">x</a>`,
    ];
    site.status = exampleStatus({ name: evil[0]!.slice(0, 80), operator: evil[1]!.slice(0, 80) });
    await signIn();
    site.overview = exampleOverview({
      operator: evil[2]!,
      alerts: evil,
      log: evil.map((text) => ({ at: text.slice(0, 40), who: text, action: text })),
      here: { device: { [evil[0]!]: 1 }, browser: { [evil[1]!]: 1 }, backend: { [evil[2]!]: 1 } },
    });
    await page.getByText(evil[5]!).first().waitFor();
    for (const link of await page.locator("a").all()) {
      expect(await link.getAttribute("href")).not.toMatch(/^javascript:/);
    }
    expect(
      await page.locator("main img, main script, main svg[onload], main a[href^=javascript]").count(),
    ).toBe(0);
    expect(await page.evaluate(() => "hit" in window)).toBe(false);
  });

  it("makes markup of no file's name and of no message while a run is made", async () => {
    const evil = `<img src=x onerror="window.hit=1">`;
    site.setup = exampleSetup({
      operator: evil,
      upload: { name: `${evil}.txt`, bytes: 9, received: 9, sha256: hashOf("8") },
      failed: { code: evil, message: evil },
    });
    await page.goto(`${site.origin}/operator#link=good`);
    await page.getByText(`${evil}.txt is here`).waitFor();
    await page.getByText(`Signed in as ${evil}`).waitFor();
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.evaluate(() => "hit" in window)).toBe(false);
  });
});
