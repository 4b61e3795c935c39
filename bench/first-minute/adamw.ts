/**
 * One thread of the engine with AdamW, in a process of its own: it trains the default run's model from the run's own first
 * weights, at its rates, on its text, until its time is over. A job comes in; how far it came goes out.
 */
import { setPriority } from "node:os";
import { initialWeights } from "../../model/contract/init.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { createWasmTrainer } from "../../model/engine/wasm/trainer.ts";
import { rateAt } from "../../server/coordinator/learning-rates.ts";
import { Ranges } from "../../server/coordinator/ranges.ts";
import { DEFAULT_SETTINGS } from "../../server/run/settings.ts";
import { defaultCorpus } from "../defaults/corpus.ts";

export interface AdamwJob {
  readonly seconds: number;
  /** Of the swarm's volunteers, so that they have no more of a busy machine than this. */
  readonly niceness: number;
}

export interface AdamwOutcome {
  readonly weights: Float32Array;
  readonly tokens: number;
  readonly steps: number;
}

/** Steps whose text is drawn at once. */
const STEPS = 10;

const settings = DEFAULT_SETTINGS;
const corpus = await defaultCorpus();
const { batch, optimizer, seed } = settings;
const shape = { ...settings.model, vocabulary: corpus.vocabulary };
const trainer = await createWasmTrainer({ shape, batch, optimizer, threads: 1 });
const first = initialWeights(shape, seed);
await trainer.load(first);
process.on("message", async ({ seconds, niceness }: AdamwJob) => {
  setPriority(niceness);
  const ends = performance.now() + 1_000 * seconds;
  let steps = 0;
  const tokens = () => steps * batch * shape.context;
  const ranges = new Ranges(corpus.train, STEPS * batch, shape.context, seed);
  for (let position = 0; performance.now() < ends; position++) {
    const { shard, window } = ranges.at(position);
    const range = { window, seed: ranges.seedOf(position), steps: STEPS, batch };
    for (const part of batchesOf(corpus.shard(shard), range, shape.context)) {
      if (performance.now() >= ends) break;
      steps++;
      await trainer.step(part, batch, rateAt(settings, tokens()));
    }
  }
  const delta = await trainer.delta();
  const weights = first.map((weight, i) => weight - delta[i]!);
  const outcome: AdamwOutcome = { weights, tokens: tokens(), steps };
  process.send!(outcome, () => process.exit());
});
process.send!("ready");
