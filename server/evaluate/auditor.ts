import { extname } from "node:path";
import type { Auditor } from "../options.ts";
import { askInThread } from "./asked-thread.ts";
import type { AuditJob } from "./examine.ts";
import type { AuditAnswer, AuditorData } from "./messages.ts";

/** The worker's file beside this one, as source (.ts) or as built (.js). */
const WORKER = new URL(`./audit-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** Audits in a thread of its own, beside the evaluator's: one delta at a time, which is what run/audits.ts asks. */
export function auditInThread(data: () => Promise<AuditorData>): Auditor & { close(): Promise<void> } {
  const thread = askInThread<AuditJob, AuditAnswer>(WORKER, data, {
    name: "the auditor",
    busy: "another delta is being audited",
  });
  return {
    audit: async (job) => {
      const answer = await thread.ask(job);
      if ("error" in answer) throw new Error(answer.error);
      return answer.evidence;
    },
    close: () => thread.close(),
  };
}
