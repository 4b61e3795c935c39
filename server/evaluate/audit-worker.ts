import { parentPort, workerData } from "node:worker_threads";
import { openEvaluationTrainer } from "./device.ts";
import { type AuditJob, examine } from "./examine.ts";
import type { AuditAnswer, AuditorData } from "./messages.ts";

/** The auditor's thread: one trainer, one delta after another. The main thread is auditor.ts. */
const { options, gate }: AuditorData = workerData;
const trainer = openEvaluationTrainer(options);

let before: Promise<void> = Promise.resolve();
parentPort?.on("message", (job: AuditJob) => {
  before = before.then(() => answer(job));
});

async function answer(job: AuditJob): Promise<void> {
  const reply = (message: AuditAnswer) => parentPort?.postMessage(message);
  try {
    reply({ evidence: await examine(await trainer, gate, options.shape.context, job) });
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
}
