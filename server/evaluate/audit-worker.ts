import { parentPort, workerData } from "node:worker_threads";
import type { Inner } from "../../model/contract/config.ts";
import type { Trainer } from "../../model/contract/trainer.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { openEvaluationTrainer } from "./device.ts";
import { direct } from "./direct.ts";
import { effectsOf } from "./effects.ts";
import { examine } from "./examine.ts";
import type { AuditAnswer, AuditorData, AuditQuestion } from "./messages.ts";
import { reporting } from "./progress.ts";

/** The auditor's thread: a trainer for each inner optimiser, one delta after another. The main thread is auditor.ts. */
const { options, gate }: AuditorData = workerData;
const usual = options.optimizer.inner ?? "adamw";
const trainers = new Map<Inner, Promise<Trainer>>();

function trainerFor(inner: Inner): Promise<Trainer> {
  const optimizer = { ...options.optimizer, inner };
  const open = trainers.get(inner) ?? openEvaluationTrainer({ ...options, optimizer }).then(reporting);
  trainers.set(inner, open);
  return open;
}
void trainerFor(usual);

let before: Promise<void> = Promise.resolve();
parentPort?.on("message", (question: AuditQuestion) => {
  before = before.then(() => answer(question));
});

async function answer(question: AuditQuestion): Promise<void> {
  const reply = (message: AuditAnswer) => parentPort?.postMessage(message);
  const { context } = options.shape;
  try {
    if ("examine" in question) {
      const trainer = await trainerFor(question.examine.ticket.inner ?? usual);
      reply({ evidence: await examine(trainer, gate, context, question.examine) });
    } else if ("effects" in question) {
      reply({ effects: await effectsOf(await trainerFor("adamw"), gate, context, question.effects) });
    } else reply({ direction: await direct(await trainerFor(usual), gate, context, question.direct) });
  } catch (error) {
    reply({ error: messageOf(error) });
  }
}
