import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Evaluation, Evaluator } from "../options.ts";
import type { Answer, Question, WorkerData } from "./messages.ts";

/** A version that was not measured: its weights are no numbers, the thread crashed, or ended. */
export class NotEvaluated extends Error {
  override readonly name = "NotEvaluated";
}

/** An {@link Evaluator} that owns a thread. */
export interface ThreadEvaluator extends Evaluator {
  /** Ends the thread. What is being measured stays unanswered: who closes does not listen any more. */
  close(): Promise<void>;
}

interface Asked extends Question {
  readonly resolve: (evaluation: Evaluation) => void;
  readonly reject: (error: NotEvaluated) => void;
}

/** The worker's file beside this one, as source (.ts) or as built (.js). */
const WORKER = new URL(`./worker${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

export interface ThreadOptions {
  readonly data: WorkerData;
  /** The worker's file; tests bring one that crashes. */
  readonly worker?: URL;
}

/**
 * Measures versions in a worker thread, one at a time. A thread that dies takes its one question with it and
 * is replaced at the next; the run waits for neither.
 */
export function evaluateInThread({ data, worker: file = WORKER }: ThreadOptions): ThreadEvaluator {
  let worker: Worker | undefined;
  let asked: Asked | undefined;
  let closed = false;

  const settle = (use: (question: Asked) => void) => {
    const question = asked;
    asked = undefined;
    if (question !== undefined) use(question);
  };

  const start = (): Worker => {
    const started = new Worker(file, { workerData: data });
    started.unref(); // a version half measured keeps no process alive
    started.on("message", (answer: Answer) =>
      settle(({ resolve, reject }) => {
        if ("error" in answer) reject(new NotEvaluated(answer.error));
        else resolve({ loss: answer.loss, sample: answer.sample });
      }),
    );
    const died = (why: string) => {
      if (worker !== started) return;
      worker = undefined;
      settle(({ reject }) => reject(new NotEvaluated(why)));
    };
    started.on("error", (error) => died(error instanceof Error ? error.message : String(error)));
    started.on("exit", (code) => died(`the evaluator's thread ended with code ${code}`));
    return started;
  };

  return {
    evaluate: (version, weights) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new NotEvaluated("the evaluator is closed"));
        if (asked !== undefined) return reject(new NotEvaluated("another version is being measured"));
        asked = { version, weights, resolve, reject };
        worker ??= start();
        worker.postMessage({ version, weights } satisfies Question);
      }),
    close: async () => {
      closed = true;
      asked = undefined;
      await worker?.terminate();
    },
  };
}
