import { batchesOf } from "../../model/data/batches.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { rateAt } from "../../server/coordinator/learning-rates.ts";
import { Ranges } from "../../server/coordinator/ranges.ts";
import { parseSettings, type Settings } from "../../server/run/settings.ts";
import { type BenchCorpus, VOCABULARY } from "./corpus.ts";
import { heldOutMeter } from "./heldout.ts";
import { MODELS, type Outcome, type Point, SYNC_WORKERS, type SyncJob } from "./job.ts";
import { machineOf } from "./machine.ts";
import { CURVE_POINTS } from "./swarm.ts";

/** One machine that has the whole batch: what the swarm is held against, at equal tokens and the same schedule. */
export async function runSync(job: SyncJob, corpus: BenchCorpus): Promise<Outcome> {
  const begun = performance.now();
  const { model, batch } = MODELS[job.model];
  const shape = { ...model, vocabulary: VOCABULARY };
  const rows = SYNC_WORKERS * batch;
  const settings = parseSettings({ model, seed: job.seed, tokenBudget: job.tokens, learningRate: job.rate });
  const machine = await machineOf(job.optimizer, settings, rows);
  const trainer = await createWasmTrainer({ shape, batch, optimizer: settings.optimizer });
  const meter = heldOutMeter(trainer, corpus.heldOut, model.context, batch);
  const curve: Point[] = [];
  let tokens = 0;
  let versions = 0;
  for (const part of textOf(settings, corpus, rows)) {
    if (tokens >= job.tokens) break;
    tokens += rows * model.context;
    machine.step(part, rateAt(settings, tokens));
    versions++;
    if (tokens < ((curve.length + 1) * job.tokens) / CURVE_POINTS) continue;
    const loss = await meter(machine.weights, "rough");
    curve.push({ tokens, version: versions, ms: 0, bytesUp: 0, bytesDown: 0, loss });
  }
  const loss = await meter(machine.weights, "final");
  trainer.dispose();
  return {
    job,
    curve,
    loss,
    tokens,
    versions,
    ...ONE_MACHINE,
    seconds: (performance.now() - begun) / 1_000,
  };
}

/** Of an outcome without volunteers: nothing is sent, nobody waits, and a step makes a version. */
export const ONE_MACHINE = {
  bitsUp: 0,
  bitsDown: 0,
  bitsJoin: 0,
  goodput: 1,
  staleness: [],
  refused: {},
  steps: 1,
} as const;

/** Steps whose text is drawn at once. */
const STEPS = 10;

/** The same text in the same order as the swarm's tickets, `rows` windows at a time. */
export function* textOf({ model: { context }, seed }: Settings, corpus: BenchCorpus, rows: number) {
  const ranges = new Ranges(corpus.train, STEPS * rows, context, seed);
  for (let position = 0; ; position++) {
    const { shard, window } = ranges.at(position);
    yield* batchesOf(
      corpus.shard(shard),
      { window, seed: ranges.seedOf(position), steps: STEPS, batch: rows },
      context,
    );
  }
}
