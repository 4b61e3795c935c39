import type { Page } from "playwright-core";
import { beforeEach, describe, expect, inject, it } from "vitest";
import type { TeamId } from "../../protocol/ids.ts";
import { exampleOverview } from "./example-operator.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus } from "./example-status.ts";
import { enlisted } from "./example-volunteers.ts";
import { type FakeSite, hostPage, serveSite } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

/**
 * Whatever a stranger can put before a visitor's eyes, in a real browser. Were any of it taken for markup, then
 * there would be elements that were not there before, or the pages' policy would refuse what they ask for and
 * say so on the console, or something would be asked of the server. The last test holds the detectors to it.
 */
const EVIL = [
  "<script>fetch('/pwned')</script>",
  "<img src=/pwned onerror=alert(1)>",
  "<svg/onload=alert(1)>",
  "<iframe src=/pwned></iframe>",
  '"><b onmouseover=alert(1)>x</b>',
  "' autofocus onfocus=alert(1) x='",
  "</script><script>alert(1)</script>",
  "</title><img src=/pwned>",
  "</textarea><img src=/pwned>",
  "<a href=javascript:alert(1)>x</a>",
  "javascript:alert(1)",
  "<style>@import '/pwned'</style>",
  "<base href=//evil.test/>",
  "<meta http-equiv=refresh content=0>",
  "<form action=/pwned><button>x",
  "<object data=/pwned></object>",
  "<math><mtext><img src=/pwned>",
  "<template><img src=/pwned>",
  "&lt;img src=/pwned&gt;",
  "{{constructor.constructor('x')()}}",
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the attack
  "${alert(1)}",
  "__proto__",
  "]]><img src=/pwned>",
  "<!--><img src=/pwned>-->",
  "\u2028alert(1)\u2029",
];
const all = EVIL.join(" ");
/** Names are short: those that fit, a leader each. */
const names = EVIL.filter((text) => text.length <= 32 && /[a-z]/.test(text) && !/[\u2028\u2029]/.test(text));

let site: FakeSite;
let page: Page;
let errors: string[];

visitSite((visit) => {
  ({ site, page, errors } = visit);
});
beforeEach(() => {
  page.on("dialog", (dialog) => {
    errors.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
});

/** Elements that none of our pages' text needs, and attributes that are scripts. */
const foreign = (where: { evaluate: Page["evaluate"] } = page) =>
  where.evaluate(() => {
    const elements = [...document.body.querySelectorAll("*")];
    const found = elements.filter(
      (element) =>
        element.matches(
          "img, script, iframe, object, embed, base, meta, style, template, math, form[action], b[onmouseover]",
        ) ||
        element.getAttributeNames().some((name) => name.startsWith("on")) ||
        /^\s*javascript:/i.test(element.getAttribute("href") ?? ""),
    );
    return found.map((element) => element.outerHTML.slice(0, 100));
  });

async function harmless(): Promise<void> {
  expect(await foreign()).toEqual([]);
  expect(errors).toEqual([]);
  expect(site.asked.filter((path) => path.includes("pwned"))).toEqual([]);
}

/** A run whose every word is a stranger's. */
function poison() {
  site.status = exampleStatus({
    name: all.slice(0, 80),
    operator: all.slice(80, 160),
    sample: { version: 160, text: all },
    samples: EVIL.map((text, version) => ({ version, text })).slice(0, 12),
  });
  site.leaders = names.map((name, i) => ({ name, tokens: 1_000 - i, recent: i }));
  site.teams = names.map((name, i) => ({
    ...{ id: `${"A".repeat(20)}${10 + i}` as TeamId, name },
    ...{ tokens: 1_000 - i, recent: i, members: 1 },
  }));
  const options = EVIL.map((token) => ({ token, probability: 0.04 }));
  site.script = trainingScript().map((report) =>
    report.type === "passage"
      ? {
          type: "passage",
          passage: {
            version: 160,
            tokens: EVIL,
            guesses: EVIL.slice(1).map((token, i) => ({
              at: i + 1,
              best: [options[i]!, options[(i + 7) % options.length]!, options[(i + 11) % options.length]!],
              truth: { token, probability: 0.01 },
            })),
          },
        }
      : report.type === "device"
        ? { ...report, device: { ...report.device, detail: all } }
        : report,
  );
}

describe("A12: strangers' words stay words", () => {
  it("on the volunteer's page, opened as far as it goes", async () => {
    poison();
    await page.goto(site.origin);
    await page.getByRole("button", { name: "Start training" }).waitFor();
    await harmless();
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("Training on a passage").waitFor();
    await page.locator("details.device summary").click();
    await page.getByText("A look inside").click();
    await page.getByText("Where tokens lie").waitFor();
    await page.getByText("Names, and your data").click();
    await page.locator(".leaders").nth(1).waitFor(); // teams
    expect(await page.locator(".leaders tbody th").allTextContents()).toEqual([...names, ...names]);
    const reading = page.getByRole("listbox").first();
    await reading.focus();
    for (let i = 0; i < EVIL.length; i++) await page.keyboard.press("ArrowRight");
    for (let i = 0; i < 5; i++)
      await page.getByRole("combobox", { name: "Compare with version" }).selectOption({ index: i });
    await harmless();
  });

  it("in what the Worker says of its end, and in reasons kept by an earlier visit", async () => {
    poison();
    const detail = all;
    site.script = [
      { type: "refused", code: "norm-too-large", message: all },
      { type: "phase", phase: { phase: "unable", why: "failed", detail } },
    ];
    await page.goto(site.origin);
    await page.evaluate((text) => {
      localStorage.setItem(
        "murmuration-refused",
        JSON.stringify({ run: text, refused: [{ code: text, times: 1, last: 1 }] }),
      );
    }, all);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.locator(".detail").first().waitFor();
    await harmless();
  });

  it("on the status page, the playground, the page about training and the operator's", async () => {
    poison();
    await page.goto(`${site.origin}/status`);
    await page.getByText("</textarea>").first().waitFor();
    await harmless();
    await page.goto(`${site.origin}/playground`);
    await page.getByRole("button", { name: /Load the model/ }).click();
    await page.getByRole("textbox").fill(all.slice(0, 1_000));
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.getByText("What it would write next").waitFor();
    await harmless();
    await page.goto(`${site.origin}/how`);
    await page.getByText("Written by version 160").waitFor();
    await harmless();
    const evil = exampleOverview({
      operator: all.slice(0, 80),
      alerts: EVIL,
      here: { device: { [EVIL[1]!]: 1 }, browser: { [EVIL[2]!]: 1 }, backend: { [EVIL[3]!]: 1 } },
      volunteers: names.map((name, i) =>
        enlisted(String(i).padStart(3, "v"), { name, standing: "banned", device: EVIL[1]!.slice(0, 20) }),
      ),
      log: EVIL.map((action) => ({ at: "2026-11-23T00:41:10.000Z", who: action, action })),
    });
    await page.goto(`${site.origin}/operator#link=good`);
    await page.getByRole("heading", { name: "Run it" }).waitFor();
    site.overview = evil;
    await page.getByText("</textarea>").first().waitFor();
    expect(await page.locator(".roster .name").allTextContents()).toEqual(names);
    for (const button of await page.locator(".roster button").all()) await button.click();
    await harmless();
  });

  it("in the frame, and in the attributes of a site's tag", async () => {
    poison();
    const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const tag = hostPage(site.origin).replace("Help train our reader", escaped(all));
    const host = await serveSite(
      inject("pages"),
      tag.replace(
        'data-share="0.4"',
        `data-share="${escaped(all)}" data-theme="${escaped(all)}" data-budget="${escaped(all)}"`,
      ),
    );
    try {
      await page.goto(`${host.origin}/host`);
      const button = page.locator("murmuration-swarm").getByRole("button").first();
      expect(await button.textContent()).toContain("</textarea>");
      await button.click();
      await page.frameLocator("iframe").getByRole("button", { name: "Yes, help train" }).waitFor();
      const frame = page.frames().find((one) => one.url().includes("/frame"))!;
      await frame.getByRole("button", { name: "Yes, help train" }).waitFor();
      expect(await foreign(frame)).toEqual([]);
      await frame.getByRole("button", { name: "Yes, help train" }).click();
      await frame.getByRole("button", { name: "Stop" }).waitFor();
      expect(await foreign(frame)).toEqual([]);
      expect([...site.asked, ...host.asked].filter((path) => path.includes("pwned"))).toEqual([]);
      expect(errors.filter((text) => !/status of 404/.test(text))).toEqual([]); // the other site has no icon
    } finally {
      await host.close();
    }
  });

  it("and each of these would be noticed, were it markup", async () => {
    await page.goto(`${site.origin}/status`);
    const live = EVIL.filter((text) =>
      /<(?:img|svg|iframe|b |a |style|base|meta|form|object|math|template)/.test(text),
    );
    for (const text of live) {
      await page.evaluate(
        (markup) => {
          document.body.innerHTML = markup.replaceAll("content=0", "content=999");
        },
        text.replace(/^[^<]*/, ""),
      );
      expect([...(await foreign()), ...errors], text).not.toEqual([]);
    }
  });
});
