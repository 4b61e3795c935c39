import { parentPort, workerData } from "node:worker_threads";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { inTokens } from "./answers.ts";
import { openEvaluationTrainer } from "./device.ts";
import { EVALUATION_BATCH, measure } from "./measure.ts";
import type { Answer, Question, WorkerData } from "./messages.ts";
import { reporting } from "./progress.ts";

/** The evaluator's thread: one trainer, one version after another. The main thread is evaluator.ts. */
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

let before: Promise<void> = Promise.resolve();
parentPort?.on("message", (question: Question) => {
  before = before.then(() => answer(question));
});

async function answer(question: Question): Promise<void> {
  const { version } = question;
  const reply = (message: Answer) => parentPort?.postMessage(message);
  try {
    reply({ version, ...(await measure(await trainer, tokenizer, data, asked, question)) });
  } catch (error) {
    reply({ version, error: messageOf(error) });
  }
}
