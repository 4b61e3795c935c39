import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import { PROTOCOL_VERSION } from "../../protocol/version.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus, hashOf } from "./example-status.ts";
import { type FakeSite, WORKER } from "./pages-fixture.ts";
import { visitSite } from "./visiting.ts";

let site: FakeSite;
let page: Page;
let errors: string[];
let retire: () => void;

visitSite((visit) => {
  ({ site, page, errors, retire } = visit);
});

const open = (path = "/") => page.goto(site.origin + path);
const agree = () => page.getByRole("button", { name: "Start training" }).click();
const shows = (text: string | RegExp) => page.getByText(text).first().waitFor();
const asked = (what: RegExp) => site.asked.filter((path) => what.test(path));
/** The Worker's script, and everything only a Worker asks for. */
const WORK = new RegExp(`${WORKER.source}|^/script$|snapshots|manifest|tokenizer|shards|tickets|\\.wasm$`);

describe("consent", () => {
  it("names the run, the operator, the size and what leaves, and nothing runs before it", async () => {
    await open();
    for (const text of ["Moby Dick, nightly", "The Reading Room", "285 k parameters", "Never your files"])
      await shows(text);
    await page.locator(".uplot canvas").waitFor(); // all that the page loads by itself has come
    expect(asked(WORK)).toEqual([]);
    await agree();
    await shows("Training on a passage");
    expect(asked(WORK)).toContain("/script");
    expect(errors).toEqual([]);
  });

  it("lasts over a reload, and so does a pause", async () => {
    await open();
    await agree();
    await shows("Training on a passage");
    await page.reload();
    await shows("Training on a passage");
    await page.getByRole("button", { name: "Pause" }).click();
    await shows("Paused by you");
    site.asked.length = 0;
    await page.reload();
    await shows("Paused by you");
    expect(asked(WORK)).toEqual([]);
    await page.getByRole("button", { name: "Resume" }).click();
    await shows("Training on a passage");
  });

  it("is asked again for another run", async () => {
    await open();
    await agree();
    await shows("Training on a passage");
    site.status = { ...exampleStatus(), run: exampleStatus().run.replaceAll("9", "8") as never };
    site.asked.length = 0;
    await page.reload();
    await page.getByRole("button", { name: "Start training" }).waitFor();
    expect(asked(WORK)).toEqual([]);
  });
});

describe("a state is shown in words", () => {
  it("a stopped volunteer runs nothing, and may start again", async () => {
    await open();
    await agree();
    await shows("Training on a passage");
    await page.getByRole("button", { name: "Stop" }).click();
    await shows("Stopped. Nothing is running.");
    expect(page.workers()).toHaveLength(0);
    await page.getByRole("button", { name: "Start again" }).click();
    await shows("Training on a passage");
  });

  it("a server that is away is waited for", async () => {
    site.status = "away";
    await open();
    await shows("The server does not answer");
    site.status = exampleStatus();
    await page.getByRole("button", { name: "Start training" }).waitFor();
  });

  it("a finished run asks for nothing and offers its model", async () => {
    site.status = exampleStatus({ state: "finished" });
    await open();
    await page.getByRole("heading", { name: "The model is finished" }).waitFor();
    expect(await page.getByRole("button", { name: "Start training" }).count()).toBe(0);
  });

  it("V1: another protocol version reloads the page once, and then is shown", async () => {
    site.status = { http: 200, body: { ...exampleStatus(), protocol: PROTOCOL_VERSION + 1 } };
    await open();
    await page.waitForURL(site.origin);
    await expect.poll(() => asked(/^\/$/).length).toBe(2);
    await shows("speak different versions of the protocol");
    await page.reload();
    await shows("speak different versions of the protocol");
    expect(asked(/^\/$/)).toHaveLength(3); // the last was this test's own
  });
});

describe("while training", () => {
  it("shows real bytes, loss, credit, device, and a passage to walk through by keyboard", async () => {
    retire();
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open();
    await agree();
    for (const text of ["1.14 MB", "step 4/10", "152 kB", "3.27", "76.8 k", "WebGPU · AMD RDNA 2"])
      await shows(text);
    const tokens = page.getByRole("listbox");
    await tokens.focus();
    const truth = page.locator(".bar.truth .piece");
    await expect.poll(() => truth.textContent()).toBe("␣me");
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => truth.textContent()).toBe("␣Ish");
    await shows("✓ Right");
    await page.keyboard.press("End");
    await expect.poll(() => truth.textContent()).toBe(".");
    await tokens.getByText("pur", { exact: true }).hover();
    await expect.poll(() => truth.textContent()).toBe("␣pur");
  });

  it("keeps a passage until the visitor asks for the newer one", async () => {
    const truth = { token: " b", probability: 0.5 };
    const passage = (version: number, first: string) => ({
      type: "passage" as const,
      passage: { version, tokens: [first, " b"], guesses: [{ at: 1, best: [truth], truth }] },
    });
    site.script = [passage(1, "older"), { type: "phase", phase: { phase: "training" } }, passage(2, "newer")];
    await open();
    await agree();
    await shows("older");
    await page.getByRole("button", { name: "Next passage" }).click();
    await shows("newer");
    expect(await page.getByText("older").count()).toBe(0);
  });

  it("opens a look inside, computed and fetched only then, and follows the chosen token", async () => {
    await open();
    await agree();
    await shows("Training on a passage");
    expect(asked(/panel/)).toEqual([]);
    await page.getByText("A look inside").click();
    await shows("“never” looks most at “never”");
    expect(asked(/panel/)).not.toEqual([]);
    await page.getByRole("combobox", { name: "Head" }).selectOption("2");
    await shows("“never” looks most at “—”");
    await page.getByRole("listbox", { name: /looks back/ }).focus();
    await page.keyboard.press("Home");
    await shows("“Call” looks most at “Call” (100%)");
    await shows("152 kB were sent instead of 1.14 MB: 7.5 times smaller");
    await shows("0.42% of the size of the weights");
    expect(errors).toEqual([]);
  });

  it("offers presets and a slider, and remembers what was chosen", async () => {
    await open();
    await agree();
    await page.getByRole("radio", { name: "Quiet" }).check();
    await shows("a fifth of the time");
    await page.getByText("Fine-tune").click();
    await shows("20% of the time");
    const slider = page.getByRole("slider", { name: "Use of this machine" });
    await slider.focus();
    await page.keyboard.press("End");
    await shows("100% of the time");
    await shows("Custom");
    await page.reload();
    await page.getByText("Fine-tune").click();
    await shows("100% of the time");
  });

  it("rests outside the chosen hours, says so, and trains anyway when told to", async () => {
    retire();
    await page.clock.setFixedTime(new Date(2026, 10, 23, 12, 0));
    await open();
    await agree();
    await page.getByText("Fine-tune").click();
    await page.getByRole("checkbox", { name: "Train only from" }).check();
    await shows("Paused outside the hours you chose.");
    await page.getByRole("button", { name: "Train anyway" }).click();
    await shows("Training on a passage");
    await page.reload();
    await shows("Paused outside the hours you chose.");
    await page.getByText("Fine-tune").click();
    await page.getByLabel("Train from this time").fill("11:30");
    await shows("Training on a passage");
  });

  it("says which of the visitor's deltas were not taken, and why", async () => {
    const refusal = { type: "refused", code: "stale", message: "too old" } as const;
    site.script = [refusal, refusal, ...trainingScript()];
    await open();
    await agree();
    await shows("2 × it came too late: the model had moved on");
  });

  it("tells a screen reader what changed for the visitor, not each turn of the loop", async () => {
    site.script = trainingScript({ phase: "sending", bytes: 1 });
    await open();
    await agree();
    await shows("Sending your delta");
    const live = page.locator("[role=status].visually-hidden");
    expect(await live.textContent()).toBe("Training.");
    await page.getByRole("button", { name: "Pause" }).click();
    await expect.poll(() => live.textContent()).toBe("Paused by you.");
  });
});

describe("the status page", () => {
  it("shows whether it learns, who is here, and what was refused and why", async () => {
    await open("/status");
    for (const text of ["Running", "3.13", "1.89 k", "8% of a budget of 40.0 M", "lease-expired"])
      await shows(text);
    await shows("The work came after its deadline");
    await page.locator(".uplot canvas").waitFor();
    expect(errors).toEqual([]);
  });

  it("says that the model gets worse while it does, by what the server measures, and not before", async () => {
    const learning = exampleStatus().heldOut;
    await open("/status");
    await page.locator(".uplot canvas").waitFor();
    expect(await page.getByText("The model is getting worse").count()).toBe(0);
    for (let i = 1; i <= 5; i++) {
      const measured = { version: 160 + i, tokens: (160 + i) * 20_480, loss: 4.2, sample: "" };
      site.emit({ type: "evaluation", ...measured });
    }
    await shows("The model is getting worse: its loss was 3.12 at version");
    await shows("The operator can lower the learning rate");
    site.status = exampleStatus({ heldOut: learning.map((point) => ({ ...point, loss: 7 })) });
    await open("/status");
    await shows("The model does worse than guessing: its loss stays at 7.00, and guessing has 6.24.");
    expect(errors).toEqual([]);
  });

  it("moves with the event stream", async () => {
    await open("/status");
    await shows("Connected at version 160.");
    const common = { diffBytes: 151_600, deltas: 4, tokens: 20_480, ms: 9_000 };
    site.emit({ type: "version", version: 161, hash: hashOf("7"), ...common });
    await shows("Version 161: 4 deltas, 20,480 tokens, 9.0 s, diff 152 kB.");
    await page.getByRole("row", { name: /^161/ }).waitFor();
    site.emit({ type: "state", state: "paused" });
    await page.locator(".state.paused").waitFor();
  });
});

describe("strangers' text stays text", () => {
  const evil = (tag: string) => `<img src=x alt=${tag}><script>document.title="${tag}"</script>`;

  it("A12: in names, samples, passages and details", async () => {
    site.status = exampleStatus({
      name: evil("name"),
      operator: evil("operator"),
      card: {
        ...{ purpose: evil("purpose"), description: evil("description"), who: evil("who") },
        ...{ textSource: evil("source"), modelLicence: evil("licence").slice(0, 80) },
      },
      sample: { version: 1, text: evil("sample") },
      samples: [{ version: 0, text: evil("early") }],
    });
    const guess = { token: evil("guess"), probability: 0.5 };
    site.script = [
      {
        type: "passage",
        passage: {
          version: 1,
          tokens: ["a", evil("token")],
          guesses: [{ at: 1, best: [guess], truth: { token: evil("truth"), probability: 0.1 } }],
        },
      },
      { type: "phase", phase: { phase: "unable", why: "failed", detail: evil("detail") } },
    ];
    await open();
    for (const tag of ["name", "operator", "purpose", "description", "who", "source", "sample", "early"])
      await shows(evil(tag));
    await agree();
    for (const tag of ["token", "detail"]) await shows(evil(tag));
    await shows(evil("truth").replaceAll(" ", "␣"));
    expect(await page.locator("#page img, #page script").count()).toBe(0);
    await open("/status");
    for (const tag of ["name", "operator", "sample"]) await shows(evil(tag));
    expect(await page.locator("#page img, #page script").count()).toBe(0);
    expect(await page.title()).toBe("Status · Murmuration");
  });
});
