import type { Page } from "playwright-core";
import { exampleOverview, exampleSetup } from "./example-operator.ts";
import { exampleStatus, hashOf } from "./example-status.ts";
import type { FakeSite } from "./pages-fixture.ts";
import { NOTHING_YET, type Shot, withoutParts } from "./shot.ts";

const withSetup = (changes: Parameters<typeof exampleSetup>[0]) => (site: FakeSite) => {
  site.setup = exampleSetup(changes);
};

/** What an operator sees of runs, and what everybody sees of their state. */
export const OPERATOR_SHOTS: readonly Shot[] = [
  {
    name: "operator-parts-missing",
    path: "/operator#link=good",
    async visitor(page) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      await withoutParts(page);
      await page.locator(".missing").nth(1).waitFor();
    },
  },
  { name: "status", path: "/status" },
  {
    name: "status-getting-worse",
    path: "/status",
    given: (site) => {
      const { heldOut } = exampleStatus();
      const worse = heldOut.map((point, i) => ({ ...point, loss: point.loss + Math.max(0, i - 20) * 0.08 }));
      site.status = exampleStatus({ heldOut: worse });
    },
  },
  { name: "operator-signed-out", path: "/operator" },
  { name: "operator", path: "/operator#link=good" },
  {
    name: "operator-alert",
    path: "/operator#link=good",
    async visitor(page, site) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      site.overview = exampleOverview({
        alerts: ["held-out loss rose from 3.09 to 3.71"],
        draining: true,
      });
      await page.getByRole("button", { name: "Finish…" }).click();
      await page.getByText("held-out loss rose").waitFor();
    },
  },
  {
    name: "operator-asking",
    path: "/operator#link=good",
    async visitor(page) {
      await page.getByLabel("A volunteer’s key").fill("k".repeat(43));
      for (const name of ["Finish…", "Roll back…", "Ban…"]) await page.getByRole("button", { name }).click();
      await page.getByLabel("Pin the loader").check();
      await page.getByLabel("Width, pixels").fill("300");
    },
  },
  ...(["paused", "finished"] as const).map((state) => ({
    name: `operator-${state}`,
    path: "/operator#link=good",
    given: (site: FakeSite) => {
      site.status = exampleStatus({ state });
    },
    async visitor(page: Page, site: FakeSite) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      site.overview = exampleOverview({ state, here: { device: {}, browser: {}, backend: {} } });
      await page.getByText("Nobody just now").waitFor();
    },
  })),
  {
    name: "operator-new-run",
    path: "/operator#link=good",
    given: (site) => {
      site.status = exampleStatus(NOTHING_YET);
    },
    async visitor(page, site) {
      await page.getByRole("heading", { name: "Run it" }).waitFor();
      const none = { versions: [], heldOut: [], volunteers: [], log: [], staleness: [0, 0, 0, 0, 0] };
      site.overview = exampleOverview({ ...none, state: "paused", snapshots: [0] });
      await page.getByText("No volunteer has been here").waitFor();
    },
  },
  {
    name: "status-new-run",
    path: "/status",
    given: (site) => {
      site.status = exampleStatus(NOTHING_YET);
    },
  },
  { name: "norun", path: "/norun" },
  { name: "lobby", path: "/lobby" },
  {
    name: "lobby-empty",
    path: "/lobby",
    given: (site) => {
      site.lobby = { runs: [] };
    },
  },
  { name: "runs-signed-out", path: "/runs" },
  { name: "runs", path: "/runs#link=good" },
  {
    name: "runs-asking",
    path: "/runs#link=good",
    async visitor(page) {
      await page.getByRole("button", { name: "Archive whales" }).click();
      await page.getByRole("button", { name: "Delete recipes" }).click();
      await page.getByLabel("The run’s name").fill("recipe");
      await page.getByLabel("Name", { exact: true }).fill("dolphins");
      await page.getByRole("button", { name: "Make it" }).click();
      await page.getByText("It waits for its text").waitFor();
    },
  },
  { name: "setup", path: "/operator#link=good", given: withSetup({}) },
  {
    name: "setup-text-here",
    path: "/operator#link=good",
    given: withSetup({
      upload: { name: "whales.jsonl.gz", bytes: 41_300_000, received: 41_300_000, sha256: hashOf("8") },
    }),
    async visitor(page) {
      await page.getByLabel("Volunteers at once").fill("25");
      await page.getByLabel("Tokens a second of one").fill("3100");
    },
  },
  {
    name: "setup-unfinished",
    path: "/operator#link=good",
    given: withSetup({
      upload: { name: "whales.jsonl.gz", bytes: 41_300_000, received: 12_582_912, sha256: null },
      failed: { code: "not-utf8", message: "text.txt is not UTF-8: byte 41 begins no character" },
    }),
  },
  {
    name: "setup-uploading",
    path: "/operator#link=good",
    given: withSetup({
      upload: { name: "whales.txt", bytes: 3_000_000, received: 1_048_576, sha256: null },
    }),
    async visitor(page) {
      await page.route("**/chunk?*", () => {}); // the second piece stays under way
      const buffer = Buffer.alloc(3_000_000, "The whale. ");
      await page
        .getByLabel("Choose a file")
        .setInputFiles({ name: "whales.txt", mimeType: "text/plain", buffer });
      await page.getByRole("progressbar").waitFor();
    },
  },
  {
    name: "setup-corpus",
    path: "/operator#link=good",
    given: withSetup({ corpus: { vocabulary: 4_096, tokens: 12_345_678, bytes: 41_300_000 } }),
  },
  {
    name: "setup-working",
    path: "/operator#link=good",
    given: withSetup({ work: { stage: "encoding", done: 12_000_000, total: 41_300_000 } }),
  },
];
