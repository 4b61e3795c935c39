import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { Evaluation, Evaluator } from "../options.ts";
import type { Answer, Question, WorkerData } from "./messages.ts";

/** A version that was not measured: a newer one came first, the worker crashed, or the server closes. */
export class NotEvaluated extends Error {
  override readonly name = "NotEvaluated";
}

/** An {@link Evaluator} that owns a thread. */
export interface ThreadEvaluator extends Evaluator {
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
 * Measures versions in a worker thread, one at a time; of those that wait only the newest is kept, and the
 * others reject with {@link NotEvaluated}. A worker that dies takes its one question with it and is replaced
 * at the next; the run never waits for either.
 */
export function evaluateInThread({ data, worker: file = WORKER }: ThreadOptions): ThreadEvaluator {
  let worker: Worker | undefined;
  let asked: Asked | undefined;
  let waiting: Asked | undefined;
  let closed = false;

  const start = (): Worker => {
    const started = new Worker(file, { workerData: data });
    started.unref(); // a version half measured keeps no process alive
    started.on("message", (answer: Answer) => {
      if ("error" in answer) asked?.reject(new NotEvaluated(answer.error));
      else asked?.resolve({ loss: answer.loss, sample: answer.sample });
      next();
    });
    const died = (why: string) => {
      if (worker !== started) return;
      worker = undefined;
      asked?.reject(new NotEvaluated(why));
      next();
    };
    started.on("error", (error) => died(error instanceof Error ? error.message : String(error)));
    started.on("exit", (code) => died(`the evaluator's thread ended with code ${code}`));
    return started;
  };

  const next = () => {
    asked = waiting;
    waiting = undefined;
    if (asked === undefined || closed) return;
    worker ??= start();
    const { version, weights } = asked;
    worker.postMessage({ version, weights } satisfies Question);
  };

  return {
    evaluate: (version, weights) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new NotEvaluated("the evaluator is closed"));
        const question: Asked = { version, weights, resolve, reject };
        if (waiting !== undefined && waiting.version > version) {
          return reject(new NotEvaluated(`version ${waiting.version} came first`));
        }
        waiting?.reject(new NotEvaluated(`version ${version} came first`));
        waiting = question;
        if (asked === undefined) next();
      }),
    close: async () => {
      closed = true;
      for (const one of [asked, waiting]) one?.reject(new NotEvaluated("the evaluator is closed"));
      asked = waiting = undefined;
      await worker?.terminate();
    },
  };
}
