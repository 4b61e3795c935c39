/**
 * Is the default run's beginning worth watching? `murmuration serve --volunteers 2` on an empty directory, and beside it one
 * thread of the same engine with AdamW, which trains the same model from the same weights, at the run's rates.
 * `npm run bench -- first-minute [--json] [--seconds N] [--volunteers N]`
 * Both run at the same time and at the volunteers' priority, so that what else the machine does costs both alike: each thread has
 * as much of it as each other. The time begins when the server has said where it listens, before its volunteers start. Then
 * all versions are measured on the same held-out text. Prints the curve; with `--json` the last line is one JSON object.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { httpApi } from "../client/transport/http.ts";
import { initialWeights } from "../model/contract/init.ts";
import { createWasmTrainer } from "../model/engine/wasm/trainer.ts";
import { NICENESS } from "../server/app/local-volunteers.ts";
import { DEFAULT_SETTINGS } from "../server/run/settings.ts";
import { startServer } from "../test/harness/server-process.ts";
import { defaultCorpus } from "./defaults/corpus.ts";
import type { AdamwJob, AdamwOutcome } from "./first-minute/adamw.ts";
import { versionsUpTo, worstRise } from "./first-minute/versions.ts";
import { heldOutMeter } from "./learning/heldout.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

/** Tokens that versions are measured on. */
const MEASURED = 4_096;
/** The version after which no loss may lie far above an earlier one's. */
const SETTLED = 3;

const flags = benchFlags({
  seconds: { type: "string", default: "90" },
  volunteers: { type: "string", default: "2" },
});
const seconds = countOf("seconds", flags.seconds);
const volunteers = countOf("volunteers", flags.volunteers);

const directory = await mkdtemp(join(tmpdir(), "murmuration-first-minute-"));
try {
  const alone = fork(join(import.meta.dirname, "first-minute/adamw.ts"), { serialization: "advanced" });
  await once(alone, "message");
  const server = await startServer("--data", join(directory, "data"), "--volunteers", String(volunteers));
  try {
    const job: AdamwJob = { seconds, niceness: NICENESS };
    alone.send(job);
    const [[outcome]] = await Promise.all([once(alone, "message"), sleep(1_000 * seconds)]);
    const { version, tokensMerged } = await server.status();
    await report(outcome as AdamwOutcome, version, tokensMerged, server.origin);
  } finally {
    alone.kill();
    await server.end("SIGTERM");
  }
} finally {
  await rm(directory, { recursive: true, force: true });
}

async function report(
  alone: AdamwOutcome,
  newest: number,
  tokensMerged: number,
  origin: string,
): Promise<void> {
  const corpus = await defaultCorpus();
  const { model, batch, optimizer, seed } = DEFAULT_SETTINGS;
  const shape = { ...model, vocabulary: corpus.vocabulary };
  const trainer = await createWasmTrainer({ shape, batch, optimizer });
  const meter = heldOutMeter(trainer, corpus.heldOut, model.context, batch, MEASURED);
  const first = initialWeights(shape, seed);
  const losses: number[] = [];
  for await (const { weights } of versionsUpTo(newest, first, httpApi({ server: origin }))) {
    losses.push(await meter(weights, "rough"));
  }
  const figures = {
    ours: round(losses.at(-1)!),
    adamw: round(await meter(alone.weights, "rough")),
    worstRise: round(worstRise(losses, SETTLED)),
    versions: newest,
    tokens: tokensMerged,
    adamwTokens: alone.tokens,
    seconds,
    volunteers,
  };
  console.log(`held-out loss by version: ${losses.map((loss) => loss.toFixed(2)).join(" ")}`);
  console.log(
    `after ${seconds} s: ${figures.ours} nats after ${tokensMerged} tokens in ${newest} versions of ${volunteers} volunteers; ` +
      `AdamW on one thread ${figures.adamw} after ${alone.tokens} tokens in ${alone.steps} steps`,
  );
  console.log(`after version ${SETTLED} at most ${figures.worstRise} nats above an earlier version`);
  if (flags.json) console.log(JSON.stringify(figures));
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
