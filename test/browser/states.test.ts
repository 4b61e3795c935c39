import type { Page } from "playwright-core";
import { describe, expect, it } from "vitest";
import type { Phase } from "../../client/worker/messages.ts";
import { signRecord } from "../../protocol/history.ts";
import { createIdentity } from "../../protocol/identity.ts";
import { trainingScript } from "./example-script.ts";
import { exampleStatus, hashOf } from "./example-status.ts";
import { hasNoFault } from "./looks.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { tabTo } from "./tab-to.ts";
import { visitSite } from "./visiting.ts";

/** What a visitor is told in each state that training can be in, and that none passes for another. */
let site: FakeSite;
let page: Page;

visitSite(
  (visit) => {
    ({ site, page } = visit);
  },
  { reducedMotion: "reduce" },
);

const STATES: readonly (readonly [name: string, phase: Phase, line: RegExp])[] = [
  ["starting", { phase: "starting" }, /^Starting…$/],
  ["trying devices", { phase: "probing", trying: "webgpu" }, /Trying this machine’s devices \(WebGPU\)/],
  ["downloading", { phase: "downloading", what: "weights", bytes: 4, total: 9 }, /Downloading the model/],
  ["waiting for work", { phase: "queued" }, /^Waiting for the next piece of work/],
  ["training", { phase: "training" }, /Training on a passage/],
  ["sending", { phase: "sending", bytes: 151_616 }, /^Sending your delta \(152 kB\)/],
  ["no ticket now", { phase: "waiting", forMs: 5_000 }, /No work right now\. Asking again/],
  ["paused by the operator", { phase: "paused", why: "operator" }, /operator has paused the run/],
  ["another tab trains", { phase: "paused", why: "other-tab" }, /Another tab is training/],
  ["server away", { phase: "away", forMs: 12_000 }, /The server does not answer. Trying again in 12 s/],
  ["finished", { phase: "finished" }, /^The run is finished, and so is the model. Thank you.$/],
  [
    "no device",
    { phase: "unable", why: "no-device", detail: "WebGPU: no adapter" },
    /No way to train worked in this browser/,
  ],
  ["no keys", { phase: "unable", why: "no-ed25519", detail: "" }, /cannot make Ed25519 keys/],
  [
    "failed",
    { phase: "unable", why: "failed", detail: "out of memory" },
    /in a way this page did not expect/,
  ],
];

describe("states", () => {
  it("differ, each by a line, a lamp, what you can do, and a text for screen readers", async () => {
    const lines = new Set<string>();
    const told = page.locator("p.phase");
    let ended = true;
    for (const [name, phase, line] of STATES) {
      const busy = !["finished", "unable"].includes(phase.phase);
      if (ended) {
        await page.goto(site.origin);
        if (lines.size === 0) await page.getByRole("button", { name: "Start training" }).click();
        await told.getByText("Training on a passage").waitFor();
      }
      ended = !busy;
      await page.evaluate((report) => new BroadcastChannel("reports").postMessage(report), {
        type: "phase",
        phase,
      });
      await told.getByText(line).waitFor();
      lines.add((await told.textContent()) ?? "");
      expect(await page.locator("[role=status].visually-hidden").textContent(), name).not.toBe("");
      expect(await page.getByRole("button", { name: "Stop", exact: true }).count(), name).toBe(busy ? 1 : 0);
      if (name !== "server away" && name !== "no device") continue; // the others look like those of pages-look
      await hasNoFault(page);
    }
    expect(lines.size).toBe(STATES.length);
  });

  it("can be worked through by the keyboard alone, from the question to the end", async () => {
    await page.goto(site.origin);
    const button = (name: string) => page.getByRole("button", { name, exact: true });
    const summary = (name: string) => page.locator("summary").filter({ hasText: name });
    await tabTo(button("Start training"));
    await page.keyboard.press("Enter");
    await page.getByText("Training on a passage").waitFor();
    await tabTo(button("Pause"));
    await page.keyboard.press("Space");
    await page.locator("p.phase").getByText("Paused by you").waitFor();
    await page.keyboard.press("Enter"); // the same button goes on
    await page.locator("p.phase").getByText("Training on a passage").waitFor();
    await tabTo(summary("A look inside"));
    await page.keyboard.press("Enter");
    await page.getByText("Where tokens lie").waitFor();
    await tabTo(summary("Names, and your data"));
    await page.keyboard.press("Enter");
    await page.getByText("Ann of the Reeds").waitFor();
    await tabTo(button("Forget me…"));
    await page.keyboard.press("Enter");
    await tabTo(button("No, keep it"));
    await page.keyboard.press("Enter");
    await expect.poll(() => page.getByText("Yes, forget me").count()).toBe(0);
    await tabTo(page.getByRole("link", { name: "How training works", exact: true }));
    await page.keyboard.press("Enter");
    await page.waitForURL(`${site.origin}/how`);
    await page.getByRole("button", { name: "Let it learn" }).waitFor();
  });

  it("keeps over a reload what was not taken, and why", async () => {
    site.script = [
      ...trainingScript(),
      { type: "refused", code: "stale", message: "too old" },
      { type: "refused", code: "norm-too-large", message: "large" },
    ];
    await page.goto(site.origin);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("1 × it would have changed the model more").waitFor();
    site.script = trainingScript();
    await page.reload();
    await page.getByText("Training on a passage").waitFor();
    await page.getByText("1 × it would have changed the model more").waitFor();
    await page.getByText("1 × it came too late").waitFor();
    site.status = exampleStatus({ run: hashOf("8") as string as ReturnType<typeof exampleStatus>["run"] });
    await page.reload();
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("Training on a passage").waitFor();
    expect(await page.getByText("it came too late").count()).toBe(0); // another run's are no matter here
  });

  it("shows a proof that holds, and warns of one that does not", async () => {
    const [server, me] = await Promise.all([createIdentity(), createIdentity()]);
    const script = trainingScript().map((report) =>
      report.type === "run"
        ? { ...report, volunteer: me.key, manifest: { ...report.manifest, server: server.key } }
        : report,
    );
    const sent = script.find((report) => report.type === "sent");
    if (sent === undefined) throw new Error("the script sends nothing");
    site.script = script;
    const { ticket, delta } = sent;
    const record = await signRecord(server.privateKey, {
      ...{
        run: exampleStatus().run,
        version: 160,
        previous: hashOf("1"),
        model: hashOf("2"),
        diff: hashOf("3"),
      },
      step: {},
      merged: [{ ticket, volunteer: me.key, delta, weight: 2 }],
    });
    site.proofs.set(ticket, { record, position: 0 });
    await page.goto(site.origin);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText("Proven: your work is in version 160.").click();
    await page
      .getByText("was made of 1 delta, and that yours is number 1, with 100% of the weight")
      .waitFor();
    site.proofs.set(ticket, { record: { ...record, model: hashOf("4") }, position: 0 });
    await page.reload();
    await page.getByRole("alert").getByText("proof for your work did not hold").waitFor();
  });
});
