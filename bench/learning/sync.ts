import { batchesOf } from "../../model/batches.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { initialWeights } from "../../model/init.ts";
import { layoutOf } from "../../model/layout.ts";
import { Ranges } from "../../server/rounds/ranges.ts";
import { rateAt } from "../../server/rounds/rates.ts";
import { parseSettings, type Settings } from "../../server/settings.ts";
import { type BenchCorpus, VOCABULARY } from "./corpus.ts";
import { heldOutMeter } from "./heldout.ts";
import { MODELS, type Outcome, type Point, SYNC_WORKERS, type SyncJob } from "./job.ts";
import { CURVE_POINTS } from "./swarm.ts";

/** One machine that has the whole batch: what the swarm is held against, at equal tokens and the same schedule. */
export async function runSync(job: SyncJob, corpus: BenchCorpus): Promise<Outcome> {
  const begun = performance.now();
  const { model, batch } = MODELS[job.model];
  const shape = { ...model, vocabulary: VOCABULARY };
  const rows = SYNC_WORKERS * batch;
  const settings = parseSettings({ model, seed: job.seed, tokenBudget: job.tokens, learningRate: job.rate });
  const trainer = await createWasmTrainer({ shape, batch: rows, optimizer: settings.optimizer });
  const meter = heldOutMeter(trainer, corpus.heldOut, model.context, batch);
  const curve: Point[] = [];
  const step = rows * model.context;
  const weights = initialWeights(shape, job.seed);
  await trainer.load(weights);
  let tokens = 0;
  let versions = 0;
  for (const part of text(settings, corpus, rows)) {
    if (tokens >= job.tokens) break;
    tokens += step;
    await trainer.step(part, rows, rateAt(settings, tokens));
    versions++;
    if (tokens < ((curve.length + 1) * job.tokens) / CURVE_POINTS) continue;
    const [delta, carried] = [await trainer.delta(), await trainer.carried()];
    const now = weights.map((value, i) => value - delta[i]!);
    const loss = await meter(now, "rough");
    curve.push({ tokens, version: versions, ms: 0, bytesUp: 0, bytesDown: 0, loss });
    weights.set(now);
    await trainer.load(weights, carried);
  }
  const delta = await trainer.delta();
  const loss = await meter(
    weights.map((value, i) => value - delta[i]!),
    "final",
  );
  trainer.dispose();
  return {
    job,
    curve,
    loss,
    tokens,
    versions,
    bitsUp: 0,
    bitsDown: 0,
    bitsJoin: 0,
    goodput: 1,
    staleness: [],
    refused: {},
    steps: 1,
    seconds: (performance.now() - begun) / 1_000,
  };
}

/** Steps whose text is drawn at once. */
const STEPS = 10;

/** The same text in the same order as the swarm's tickets, `rows` windows at a time. */
function* text({ model: { context }, seed }: Settings, corpus: BenchCorpus, rows: number) {
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

export const parametersOf = (model: keyof typeof MODELS): number =>
  layoutOf({ ...MODELS[model].model, vocabulary: VOCABULARY }).length;
