import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Auditor } from "../options.ts";
import type { Evidence } from "../trust/audit.ts";
import type { AuditJob } from "./examine.ts";
import type { AuditAnswer, AuditorData } from "./messages.ts";

/** The worker's file beside this one, as source (.ts) or as built (.js). */
const WORKER = new URL(`./audit-worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

interface Asked {
  readonly resolve: (evidence: Evidence) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Audits in a thread of its own, beside the evaluator's: one delta at a time, which is what run/audits.ts asks. A
 * thread that dies takes its one question with it and is replaced at the next.
 */
export function auditInThread(data: () => Promise<AuditorData>): Auditor & { close(): Promise<void> } {
  let worker: Promise<Worker> | undefined;
  let asked: Asked | undefined;
  let closed = false;

  const settle = (use: (question: Asked) => void) => {
    const question = asked;
    asked = undefined;
    if (question !== undefined) use(question);
  };
  const start = async (): Promise<Worker> => {
    const started = new Worker(WORKER, { workerData: await data() });
    started.unref(); // a delta half audited keeps no process alive
    started.on("message", (answer: AuditAnswer) =>
      settle(({ resolve, reject }) => {
        if ("error" in answer) reject(new Error(answer.error));
        else resolve(answer.evidence);
      }),
    );
    const died = (why: string) => {
      worker = undefined;
      settle(({ reject }) => reject(new Error(why)));
    };
    started.on("error", (error) => died(String(error)));
    started.on("exit", (code) => died(`the auditor's thread ended with code ${code}`));
    return started;
  };

  return {
    audit: async (job: AuditJob) => {
      if (closed || asked !== undefined) throw new Error("the auditor is closed or busy");
      const answered = Promise.withResolvers<Evidence>();
      asked = answered;
      try {
        worker ??= start();
        (await worker).postMessage(job);
      } catch (error) {
        worker = undefined;
        settle(({ reject }) => reject(error instanceof Error ? error : new Error(String(error))));
      }
      return answered.promise;
    },
    close: async () => {
      closed = true;
      asked = undefined;
      await (await worker?.catch(() => undefined))?.terminate();
    },
  };
}
