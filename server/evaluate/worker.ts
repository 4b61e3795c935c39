import { parentPort, workerData } from "node:worker_threads";
import type { Trainer } from "../../model/contract/trainer.ts";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { Scorer } from "../../model/engine/wasm/scorer.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { MAX_WRITING_MS } from "../net/limits.ts";
import { inTokens } from "./answers.ts";
import { openEvaluationTrainer } from "./device.ts";
import { EVALUATION_BATCH, measure } from "./measure.ts";
import type { Answer, Part, Question, WorkerData, Writing } from "./messages.ts";
import { reporting } from "./progress.ts";
import { write } from "./write.ts";

/** The evaluator's thread: one trainer, one version after another, and texts from the one that is loaded. The main thread is evaluator.ts. */
const data: WorkerData = workerData;
const tokenizer = loadTokenizer(data.tokenizer);
const asked = inTokens(data.questions, tokenizer);
const trainer = openEvaluationTrainer(
  {
    shape: data.shape,
    // Nothing is trained here; a trainer is made for an optimiser all the same.
    optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, clip: 1 },
    batch: EVALUATION_BATCH,
  },
  false,
).then(reporting);
const scorer = trainer.then((ready) => new Scorer(ready, data.shape));

let before: Promise<void> = Promise.resolve();
let loaded: number | undefined;
parentPort?.on("message", (question: Question | Writing) => {
  before = before.then(() => answer(question));
});

async function answer(question: Question | Writing): Promise<void> {
  const { version } = question;
  const reply = (message: Answer | Part) => parentPort?.postMessage(message);
  try {
    if ("write" in question) reply(await writeFor(question, (part) => reply({ part })));
    else {
      const ready = await trainer;
      await load(ready, question.weights);
      reply({ version, ...(await measure(ready, await scorer, tokenizer, data, asked, version)) });
      loaded = version;
    }
  } catch (error) {
    reply({ version, error: messageOf(error) });
  }
}

/** Loads weights that were handed over, and frees them: they are as large as the model, and measuring it takes long. */
async function load(ready: Trainer, weights: Float32Array): Promise<void> {
  loaded = undefined;
  await ready.load(weights);
  if (weights.buffer instanceof ArrayBuffer) weights.buffer.transfer(0);
}

async function writeFor(writing: Writing, part: (text: string) => void): Promise<Answer> {
  const { version, weights, write: order } = writing;
  const left = new Int32Array(writing.left);
  const end = performance.now() + MAX_WRITING_MS;
  const isOver = () => Atomics.load(left, 0) !== 0 || performance.now() > end;
  const ready = await trainer;
  if (loaded !== version) {
    if (weights === undefined) return { missing: "weights" };
    await load(ready, weights);
    loaded = version;
  }
  return { wrote: await write(ready, tokenizer, data.shape.context, order, part, isOver) };
}
