/**
 * Does a run's GGUF mean in llama.cpp what the run's model means here? `npm run bench -- export [--json]` trains a
 * small GPT-2 on Moby Dick for a minute, takes it out, and asks llama.cpp (node-llama-cpp, installed beside this
 * bench by its first run; x86-64 Linux) for prompts' tokens, logits and greedy continuations. Exits 1 where a token
 * differs, or in f32 a logit by more than its table of 16-bit GELU values explains.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialWeights } from "../model/contract/init.ts";
import { loadTokenizer } from "../model/data/tokenizer.ts";
import { generate } from "../model/decode/generate.ts";
import { createWasmTrainer } from "../model/engine/wasm/trainer.ts";
import { encodeGpt2Gguf } from "../model/export/gpt2-gguf.ts";
import { Random } from "../model/lib/random.ts";
import { addDefaultCorpus } from "../server/corpus/default.ts";
import { readCorpus } from "../server/corpus/shards.ts";
import { benchFlags } from "./lib/flags.ts";

const STEPS = 400;
const BATCH = 8;
const RATE = 3e-3;
/** Tokens written after each prompt: prompt and continuation stay within the context. */
const COUNT = 64;
const SHAPE = { layers: 2, heads: 4, width: 96, context: 128, vocabulary: 512 };
const PROMPTS = ["Call me Ishmael.", "The whale", "\n\n“Captain Ahab,” said Starbuck,", "It was 3 o'clock; "];
/** llama.cpp looks GELU up in a table of half precision, about three decimal digits; f16 rounds the weights too. */
const MAX_LOGIT_GAP = { f32: 0.01, f16: 0.03 } as const;

interface Answer {
  readonly tokens: readonly number[];
  readonly logits: readonly number[];
  readonly written: readonly number[];
  readonly text: string;
}

const flags = benchFlags({});
const llama = join(import.meta.dirname, "export");
if (!existsSync(join(llama, "node_modules"))) {
  const install = ["ci", "--omit=optional", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", install, { cwd: llama, stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error("node-llama-cpp cannot be installed");
}

const folder = await mkdtemp(join(tmpdir(), "murmuration-export-"));
try {
  process.exitCode = await bench();
} finally {
  await rm(folder, { recursive: true });
}

async function bench(): Promise<number> {
  await addDefaultCorpus(folder);
  const tokenizerFile = new Uint8Array(await readFile(join(folder, "tokenizer.json")));
  const tokenizer = loadTokenizer(tokenizerFile);
  const { weights, loss } = await train();
  const ours = await answers(weights);
  const rows = [];
  for (const type of ["f32", "f16"] as const) {
    const file = join(folder, `${type}.gguf`);
    const gguf = encodeGpt2Gguf({ name: "bench", shape: SHAPE, weights, tokenizer: tokenizerFile, type });
    await writeFile(file, gguf);
    const theirs = ask(file);
    rows.push({ type, bytes: gguf.length, release: theirs.release, ...compare(ours, theirs.answers) });
  }
  console.log(`trained ${STEPS} steps, loss ${loss.toFixed(3)}; llama.cpp ${rows[0]?.release}`);
  console.log("type  bytes     prompts alike  continuations alike  tokens alike  largest logit gap");
  for (const row of rows) {
    const { type, bytes, prompts, continuations, tokens, logitGap } = row;
    console.log(
      `${type}   ${String(bytes).padEnd(8)}  ${prompts} of ${PROMPTS.length}         ` +
        `${continuations} of ${PROMPTS.length}               ${tokens} of ${PROMPTS.length * COUNT}    ${logitGap.toFixed(5)}`,
    );
  }
  console.log(`“${PROMPTS[0]}${tokenizer.decode(ours[0]?.written ?? [])}”`);
  if (flags.json) console.log(JSON.stringify({ steps: STEPS, loss, rows }));
  const exact = rows.find(({ type }) => type === "f32");
  const alike = exact?.prompts === PROMPTS.length && exact.continuations === PROMPTS.length;
  return alike && rows.every(({ type, logitGap }) => logitGap <= MAX_LOGIT_GAP[type]) ? 0 : 1;

  async function train() {
    const { index, readShard } = await readCorpus(folder);
    const text = await readShard(index.splits.train[0]!.hash);
    const trainer = await open(BATCH);
    await trainer.load(initialWeights(SHAPE, 1));
    const start = initialWeights(SHAPE, 1);
    const random = new Random(2);
    const row = SHAPE.context + 1;
    for (let step = 0; step < STEPS; step++) {
      const tokens = new Uint16Array(BATCH * row);
      for (let i = 0; i < BATCH; i++) {
        const from = Math.floor(random.unit() * (text.length - row));
        tokens.set(text.subarray(from, from + row), i * row);
      }
      await trainer.step(tokens, BATCH, RATE * Math.min(1, (step + 1) / 20));
    }
    const losses = await trainer.losses();
    const delta = await trainer.delta();
    trainer.dispose();
    return { weights: start.map((value, i) => value - delta[i]!), loss: losses.at(-1) ?? Number.NaN };
  }

  async function answers(weights: Float32Array): Promise<Answer[]> {
    const trainer = await open(1);
    await trainer.load(weights);
    const told: Answer[] = [];
    for (const prompt of PROMPTS) {
      const tokens = tokenizer.encode(prompt);
      const logits = (await trainer.logits(tokens)).slice(-SHAPE.vocabulary);
      const written: number[] = [];
      const greedy = { temperature: 0, topK: 1, seed: 0 };
      for await (const token of generate(trainer, SHAPE.context, tokens, greedy)) {
        if (written.push(token) === COUNT) break;
      }
      told.push({ tokens: [...tokens], logits: [...logits], written, text: tokenizer.decode(written) });
    }
    trainer.dispose();
    return told;
  }
}

function open(batch: number) {
  const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
  return createWasmTrainer({ shape: SHAPE, optimizer, batch, deterministic: true });
}

function ask(file: string): { release: string; answers: Answer[] } {
  const input = JSON.stringify({ prompts: PROMPTS, count: COUNT });
  const { stdout, status } = spawnSync(process.execPath, ["llama.js", file], {
    cwd: llama,
    input,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new Error("llama.cpp gave no answer");
  return JSON.parse(stdout);
}

function compare(ours: readonly Answer[], theirs: readonly Answer[]) {
  let [prompts, continuations, tokens, logitGap] = [0, 0, 0, 0];
  ours.forEach((our, i) => {
    const their = theirs[i];
    if (their === undefined) return;
    if (String(our.tokens) === String(their.tokens)) prompts++;
    if (String(our.written) === String(their.written) && our.text === their.text) continuations++;
    tokens += our.written.filter((token, at) => token === their.written[at]).length;
    for (const [at, logit] of our.logits.entries()) {
      logitGap = Math.max(logitGap, Math.abs(logit - (their.logits[at] ?? Number.NaN)));
    }
  });
  return { prompts, continuations, tokens, logitGap };
}
