import { parentPort, workerData } from "node:worker_threads";
import { openEvaluationTrainer } from "./device.ts";
import { direct } from "./direct.ts";
import { examine } from "./examine.ts";
import type { AuditAnswer, AuditorData, AuditQuestion } from "./messages.ts";
import { reporting } from "./progress.ts";

/** The auditor's thread: one trainer, one delta after another. The main thread is auditor.ts. */
const { options, gate }: AuditorData = workerData;
const trainer = openEvaluationTrainer(options).then(reporting);

let before: Promise<void> = Promise.resolve();
parentPort?.on("message", (question: AuditQuestion) => {
  before = before.then(() => answer(question));
});

async function answer(question: AuditQuestion): Promise<void> {
  const reply = (message: AuditAnswer) => parentPort?.postMessage(message);
  const { context } = options.shape;
  try {
    if ("examine" in question)
      reply({ evidence: await examine(await trainer, gate, context, question.examine) });
    else reply({ direction: await direct(await trainer, gate, context, question.direct) });
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
}
