/**
 * What answering multiple-choice questions costs the evaluator's thread, beside a held-out evaluation of as many tokens.
 * `npm run bench -- questions [--json] [--questions N] [--times N]`
 * N (200) questions of the built-in set, over and over, in the book's own tokens, are answered by the default model; the
 * held-out text of the book is measured in whole windows of no fewer tokens than the prompts and answers have. Both by turns, N (5)
 * times, of which the median counts. With `--json` the last line is `{questions, tokens, questionsMs, heldOutMs, ratio}`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initialWeights } from "../model/contract/init.ts";
import { loadTokenizer } from "../model/data/tokenizer.ts";
import { Scorer } from "../model/engine/wasm/scorer.ts";
import { addDefaultCorpus } from "../server/corpus/default.ts";
import { readCorpus } from "../server/corpus/shards.ts";
import { countRight, inTokens } from "../server/evaluate/answers.ts";
import { openEvaluationTrainer } from "../server/evaluate/device.ts";
import { ENGLISH_QUESTIONS } from "../server/evaluate/english-questions.ts";
import { EVALUATION_BATCH } from "../server/evaluate/measure.ts";
import { batched, heldOutSlice } from "../server/evaluate/slice.ts";
import { medianOf } from "../server/lib/median.ts";
import { parseSettings } from "../server/run/settings.ts";
import { benchFlags, countOf } from "./lib/flags.ts";

const flags = benchFlags({
  questions: { type: "string", default: "200" },
  times: { type: "string", default: "5" },
});
const count = countOf("questions", flags.questions);
const times = countOf("times", flags.times);

const directory = await mkdtemp(join(tmpdir(), "murmuration-questions-"));
try {
  await addDefaultCorpus(directory);
  const corpus = await readCorpus(directory);
  const tokenizer = loadTokenizer(corpus.tokenizer);
  const shape = { ...parseSettings({}).model, vocabulary: tokenizer.vocabulary };
  const asked = inTokens(
    Array.from({ length: count }, (_, i) => ENGLISH_QUESTIONS[i % ENGLISH_QUESTIONS.length]!),
    tokenizer,
  );
  const trainer = await openEvaluationTrainer(
    {
      ...{ shape, batch: EVALUATION_BATCH },
      optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 },
    },
    false,
  );
  const scorer = new Scorer(trainer, shape);
  await trainer.load(initialWeights(shape, 1));

  // Each choice has its prompt before it, and its last token is only guessed.
  const tokens = asked
    .flatMap(({ prompt, choices }) => choices.map((choice) => prompt.length + choice.tokens.length - 1))
    .reduce((sum, length) => sum + Math.min(length, shape.context), 0);
  const answer = async () => {
    await countRight(scorer, shape.context, asked);
  };
  await answer();
  const heldOut = Uint16Array.from(
    (await Promise.all(corpus.index.splits.heldOut.map(({ hash }) => corpus.readShard(hash)))).flatMap(
      (shard) => [...shard],
    ),
  );
  const needed = Math.ceil(tokens / shape.context);
  const slice = heldOutSlice(heldOut, shape.context, needed, 1);
  // The book may have fewer windows than that: then some are measured again.
  const windows = Array.from({ length: needed }, (_, i) => slice[i % slice.length]!);
  const measure = async () => {
    for (const { rows, tokens } of batched(windows, EVALUATION_BATCH)) await trainer.evaluate(tokens, rows);
  };
  await measure();

  const took: { questions: number[]; heldOut: number[] } = { questions: [], heldOut: [] };
  for (let i = 0; i < times; i++) {
    took.questions.push(await timed(answer));
    took.heldOut.push(await timed(measure));
  }
  const [questionsMs, heldOutMs] = [medianOf(took.questions) ?? 0, medianOf(took.heldOut) ?? 0];
  const ratio = questionsMs / heldOutMs;
  console.log(
    `${count} questions of ${tokens} tokens take ${questionsMs.toFixed(0)} ms; as many held-out tokens take ${heldOutMs.toFixed(0)} ms: ${ratio.toFixed(2)} times`,
  );
  if (flags.json) console.log(JSON.stringify({ questions: count, tokens, questionsMs, heldOutMs, ratio }));
} finally {
  await rm(directory, { recursive: true });
}

/** Milliseconds of this process's processor: others on the machine do not count. */
async function timed(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
