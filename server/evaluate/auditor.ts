import { extname } from "node:path";
import { askInThread } from "./asked-thread.ts";
import type { AuditAnswer, AuditorData, AuditQuestion } from "./messages.ts";
import type { Auditor } from "./ports.ts";

/** The worker's file beside this one, as source (.ts) or as built (.js). */
const WORKER = new URL(`./audit-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** Audits in a thread of its own, beside the evaluator's: one question at a time, which is what run/audits.ts asks. */
export function auditInThread(data: () => Promise<AuditorData>): Auditor & { close(): Promise<void> } {
  const thread = askInThread<AuditQuestion, AuditAnswer>(WORKER, data, {
    name: "the auditor",
    busy: "another delta is being audited",
  });
  const ask = async (question: AuditQuestion) => {
    const answer = await thread.ask(question);
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
    close: () => thread.close(),
  };
}
