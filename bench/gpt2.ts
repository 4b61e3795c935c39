/**
 * Does a model of GPT-2 small's size train from end to end? `npm run bench -- gpt2 [--json] [--short] [--versions N]
 * [--minutes N] [--without-page] [--folder DIRECTORY]` writes a folder as Hugging Face stores GPT-2 (12 layers of 768, 50,257 tokens, context 128, weights
 * drawn here) and a corpus in its tokens, serves a run from it, and has two volunteers of the command line train it on WASM,
 * and a page in Chromium on WebGPU's software adapter, one sequence a step. When held-out loss was measured after N versions (3)
 * and the page has sent a delta, or N minutes are over (40), the model is exported in both formats, and the run verified.
 * `--short` does the same with a model of .2M. With `--json` the last line is one JSON object. Ends with exit code 1 where loss
 * did not fall, the page sent nothing, or an export or the verification fails. Takes some 20 GB of memory. With `--folder` it
 * keeps what it made in that directory, and goes on there when it was ended before: peaks and the page's tokens are then the last
 * start's.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialWeights } from "../model/contract/init.ts";
import { layoutOf } from "../model/contract/layout.ts";
import { huggingFaceFiles } from "../model/export/hugging-face.ts";
import { defaultTexts } from "../server/corpus/default-texts.ts";
import { findChromium } from "../test/browser/chromium.ts";
import { type ServerProcess, startServer } from "../test/harness/server-process.ts";
import { command, commandLine, type Page, page, peakMiB, type Trainee } from "./gpt2/processes.ts";
import { withEntries } from "./gpt2/tokenizer.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

const SMALL = {
  layers: 12,
  heads: 12,
  width: 768,
  context: 128,
  vocabulary: 50_257,
  learnt: 1_024,
  steps: 2,
};
const SHORT = { layers: 2, heads: 2, width: 64, context: 64, vocabulary: 1_024, learnt: 512, steps: 8 };
const WASM_VOLUNTEERS = 2;

const flags = benchFlags({
  short: { type: "boolean", default: false },
  folder: { type: "string" },
  "without-page": { type: "boolean", default: false },
  versions: { type: "string", default: "3" },
  minutes: { type: "string", default: "40" },
});
const wanted = countOf("versions", flags.versions);
const limitMs = 60_000 * countOf("minutes", flags.minutes);
const { learnt, steps, ...shape } = flags.short ? SHORT : SMALL;

/**
 * Deltas of a version: so many that a page on the software adapter, which takes four times as long for one as a volunteer on
 * WASM, sends its own before the run is five versions on.
 */
const QUORUM = 6;

/** One sequence a step. Versions of a small model, which two on WASM make several of a second, wait for the page on a clock. */
const RUN = {
  name: "GPT-2 small",
  batch: 1,
  steps,
  rounds: flags.short ? { seconds: 3 } : "turns",
  quorum: QUORUM,
  outer: { kind: "average" },
  delta: "midrise2",
  downlink: "midrise2",
  learningRate: flags.short ? 5e-3 : 6e-4,
  warmupTokens: 0,
  leaseSeconds: 3_600,
  evaluateWindows: 4,
  snapshotEvery: 2,
  trust: { rules: "mean", auditShare: 0, tripwire: 10 },
};

const began = performance.now();
const say = (line: string) => {
  process.stderr.write(`${((performance.now() - began) / 1_000).toFixed(0)} s: ${line}\n`);
};
const folder = flags.folder ?? (await mkdtemp(join(tmpdir(), "murmuration-gpt2-")));
await mkdir(folder, { recursive: true });
const volunteers: Trainee[] = [];
let serving: ServerProcess | undefined;
process.once("SIGTERM", async () => {
  await clear();
  process.exit(1);
});
try {
  process.exitCode = await bench();
} finally {
  await clear();
}

/** Ends what this bench has started, and removes what nobody wants to keep. */
async function clear(): Promise<void> {
  await Promise.all(volunteers.splice(0).map((volunteer) => volunteer.end()));
  await serving?.end("SIGTERM");
  if (flags.folder === undefined) await rm(folder, { recursive: true, force: true });
}

async function bench(): Promise<number> {
  const model = join(folder, "model");
  const data = join(folder, "data");
  const file = join(folder, "run.json");
  const made = join(folder, "made");
  if (!existsSync(made)) {
    await makeFolder(model);
    await writeFile(file, JSON.stringify(RUN));
    const texts = await defaultTexts();
    await done("corpus", "add", ...texts, "--data", data, "--tokenizer", join(model, "tokenizer.json"));
    await writeFile(made, "");
  }
  say(`a folder with ${layoutOf(shape).length.toLocaleString("en")} parameters`);
  const begins = existsSync(join(data, "journal")) ? [] : ["--run", file, "--from", model];
  const server = await startServer("--data", data, ...begins);
  serving = server;
  let figures: Figures;
  try {
    say(`serving at ${server.origin}`);
    for (let i = 0; i < WASM_VOLUNTEERS; i++) volunteers.push(commandLine(server.origin));
    const tab = flags["without-page"] ? undefined : await page(server.origin, findChromium());
    if (tab) volunteers.push(tab);
    figures = await watch(server, tab);
    const wasm = await Promise.all(volunteers.slice(0, WASM_VOLUNTEERS).map((one) => one.peakMiB()));
    const gpu = (await tab?.peakMiB()) ?? null;
    figures.peakMiB = { wasm: Math.max(...wasm), gpu, server: await peakMiB(server.pid) };
    await Promise.all(volunteers.splice(0).map((volunteer) => volunteer.end()));
  } finally {
    await server.end("SIGTERM");
  }
  say("exporting and verifying");
  const [hf, gguf] = [join(folder, "hf"), join(folder, "model.gguf")];
  await done("export", data, "--format", "hf", "--out", hf);
  await done("export", data, "--format", "gguf", "--out", gguf);
  const sizes = await Promise.all(
    [join(hf, "model.safetensors"), gguf].map(async (path) => (await stat(path)).size),
  );
  const verify = (await command("verify", data)) === 0;
  const { firstLoss, lastLoss, versions, pageTokens, peakMiB: peak } = figures;
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(
    `${layoutOf(shape).length.toLocaleString("en")} parameters, ${versions} versions in ${seconds} s: held-out loss ` +
      `${firstLoss.toFixed(3)} → ${lastLoss.toFixed(3)}; safetensors ${sizes[0]} bytes, GGUF ${sizes[1]}; ` +
      `verified: ${verify}; the page sent ${pageTokens ?? "–"} tokens; peak MiB ${JSON.stringify(peak)}`,
  );
  if (flags.json) {
    const parameters = layoutOf(shape).length;
    console.log(
      JSON.stringify({
        parameters,
        firstLoss,
        lastLoss,
        versions,
        pageTokens,
        peakMiB: peak,
        verify,
        seconds,
      }),
    );
  }
  return verify &&
    lastLoss < firstLoss &&
    pageTokens !== 0 &&
    sizes.every((size) => size > 2 * layoutOf(shape).length)
    ? 0
    : 1;
}

interface Figures {
  firstLoss: number;
  lastLoss: number;
  versions: number;
  /** That the page has sent; null without one. */
  pageTokens: number | null;
  peakMiB: { wasm: number; gpu: number | null; server: number };
}

/** Looks on until loss was measured after enough versions and the page has sent something, or time is over. */
async function watch(server: ServerProcess, tab?: Page): Promise<Figures> {
  let told = -1;
  let said = "";
  for (;;) {
    const pageTokens = (await tab?.sent()) ?? null;
    const says = (await tab?.says()) ?? "";
    if (says !== said) say(`the page: ${says}`);
    said = says;
    const { heldOut, version } = await server.status();
    const [first, last] = [heldOut[0], heldOut.at(-1)];
    if (last !== undefined && last.version > told) {
      told = last.version;
      say(`version ${last.version}: held-out loss ${last.loss.toFixed(4)}`);
    }
    const over = performance.now() - began > limitMs;
    if (over || (last !== undefined && last.version >= wanted && pageTokens !== 0)) {
      if (first === undefined || last === undefined || last.version === first.version) {
        throw new Error(
          `after ${flags.minutes} minutes the run is at version ${version}, and nothing was measured twice`,
        );
      }
      const losses = { firstLoss: first.loss, lastLoss: last.loss };
      return { ...losses, versions: version, pageTokens, peakMiB: { wasm: 0, gpu: null, server: 0 } };
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** A GPT-2 as Hugging Face stores it, in a new folder. Its tokenizer is learnt from the corpus's text, and filled up. */
async function makeFolder(model: string): Promise<void> {
  const first = join(folder, "learnt");
  for (const old of [first, model, join(folder, "data")]) await rm(old, { recursive: true, force: true });
  await done("corpus", "add", ...(await defaultTexts()), "--data", first, "--vocab", String(learnt));
  const tokenizer = withEntries(await readFile(join(first, "tokenizer.json"), "utf8"), shape.vocabulary);
  await mkdir(model);
  for (const { name, bytes } of huggingFaceFiles(shape, initialWeights(shape, 1), Buffer.from(tokenizer)))
    await writeFile(join(model, name), bytes);
}

async function done(...args: string[]): Promise<void> {
  const code = await command(...args);
  if (code !== 0) throw new Error(`murmuration ${args[0]} ended with ${code}`);
}
