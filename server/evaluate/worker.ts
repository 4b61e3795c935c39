import { parentPort, workerData } from "node:worker_threads";
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
      loaded = undefined;
      reply({ version, ...(await measure(await trainer, await scorer, tokenizer, data, asked, question)) });
      loaded = version;
    }
  } catch (error) {
    reply({ version, error: messageOf(error) });
  }
}

async function writeFor(writing: Writing, part: (text: string) => void): Promise<Answer> {
  const { version, weights, write: order } = writing;
  const left = new Int32Array(writing.left);
  const end = performance.now() + MAX_WRITING_MS;
  const isOver = () => Atomics.load(left, 0) !== 0 || performance.now() > end;
  const ready = await trainer;
  if (loaded !== version) {
    if (weights === undefined) return { missing: "weights" };
    loaded = undefined;
    await ready.load(weights);
    loaded = version;
  }
  return { wrote: await write(ready, tokenizer, data.shape.context, order, part, isOver) };
}
