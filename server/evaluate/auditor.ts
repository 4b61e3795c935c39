import { layoutOf } from "../../model/contract/layout.ts";
import type { After } from "../../model/lib/deadline.ts";
import { silenceFor } from "../lib/watchdog.ts";
import { workerBeside } from "../lib/worker-file.ts";
import { askInThread, copyOf } from "./asked-thread.ts";
import type { AuditAnswer, AuditorData, AuditQuestion } from "./messages.ts";
import type { Auditor } from "./ports.ts";

const WORKER = workerBeside(import.meta.url, "audit-worker");

export interface AuditorOptions {
  readonly data: () => Promise<AuditorData>;
  /** As of an asked thread: changes with the data. */
  readonly edition?: () => number;
  /** The worker's file; tests bring one that hangs. */
  readonly worker?: URL;
  readonly after?: After;
}

/** An {@link Auditor} that owns a thread. */
export interface ThreadAuditor extends Auditor {
  /** Ends the thread, unless it audits; the next question starts another. */
  rest(): Promise<void>;
  close(): Promise<void>;
}

/** Audits in a thread of its own, beside the evaluator's: one question at a time, which is what run/audits.ts asks. */
export function auditInThread(options: AuditorOptions): ThreadAuditor {
  const { data, edition, worker = WORKER, after } = options;
  const thread = askInThread<AuditQuestion, AuditAnswer, AuditorData>({
    ...{ file: worker, data, edition, after },
    name: "the auditor",
    busy: "another delta is being audited",
    sent: (question) => {
      if ("examine" in question) {
        const { examine: job } = question;
        const [weights, delta] = [copyOf(job.weights), copyOf(job.delta)];
        return {
          question: { examine: { ...job, weights, delta } },
          handedOver: [weights.buffer, delta.buffer],
        };
      }
      const weights = copyOf("direct" in question ? question.direct.weights : question.effects.weights);
      const moved =
        "direct" in question
          ? { direct: { ...question.direct, weights } }
          : { effects: { ...question.effects, weights } };
      return { question: moved, handedOver: [weights.buffer] };
    },
    silence: ({ options: { shape, batch } }) => silenceFor(layoutOf(shape).length, batch * shape.context),
  });
  const ask = async (question: AuditQuestion) => {
    // A question is asked once more of another thread: a delta must not go without its audit for a thread that died.
    const answer = await thread.ask(question).catch(() => thread.ask(question));
    if ("error" in answer) throw new Error(answer.error);
    return answer;
  };
  return {
    audit: async (job) => {
      const answer = await ask({ examine: job });
      if ("evidence" in answer) return answer.evidence;
      throw new Error("the auditor answered another question");
    },
    direct: async (job) => {
      const answer = await ask({ direct: job });
      if ("direction" in answer) return answer.direction;
      throw new Error("the auditor answered another question");
    },
    effects: async (job) => {
      const answer = await ask({ effects: job });
      if ("effects" in answer) return answer.effects;
      throw new Error("the auditor answered another question");
    },
    rest: () => thread.rest(),
    close: () => thread.close(),
  };
}
