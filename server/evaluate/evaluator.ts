import { layoutOf } from "../../model/contract/layout.ts";
import type { After } from "../../model/lib/deadline.ts";
import { silenceFor } from "../lib/watchdog.ts";
import { workerBeside } from "../lib/worker-file.ts";
import { askInThread } from "./asked-thread.ts";
import { EVALUATION_BATCH } from "./measure.ts";
import type { Answer, Question, WorkerData } from "./messages.ts";
import type { Evaluator } from "./ports.ts";

/** A version that was not measured: its weights are no numbers, the thread crashed, or ended. */
export class NotEvaluated extends Error {
  override readonly name = "NotEvaluated";
}

/** An {@link Evaluator} that owns a thread. */
export interface ThreadEvaluator extends Evaluator {
  /** Ends the thread, unless it measures; the next version starts another. */
  rest(): Promise<void>;
  /** Ends the thread. What is being measured stays unanswered: who closes does not listen any more. */
  close(): Promise<void>;
}

const WORKER = workerBeside(import.meta.url, "worker");

export interface ThreadOptions {
  readonly data: WorkerData | (() => Promise<WorkerData>);
  /** As of an asked thread: changes with the data. */
  readonly edition?: () => number;
  /** The worker's file; tests bring one that crashes. */
  readonly worker?: URL;
  readonly after?: After;
}

/** Measures versions in a worker thread, one at a time; the run waits for none. */
export function evaluateInThread({ data, edition, worker = WORKER, after }: ThreadOptions): ThreadEvaluator {
  const thread = askInThread<Question, Answer, WorkerData>({
    ...{ file: worker, data: typeof data === "function" ? data : () => data, edition, after },
    name: "the evaluator",
    busy: "another version is being measured",
    silence: ({ shape }) => silenceFor(layoutOf(shape).length, EVALUATION_BATCH * shape.context),
  });
  return {
    evaluate: async (version, weights) => {
      const answer = await thread.ask({ version, weights }).catch((error: Error) => {
        throw new NotEvaluated(error.message);
      });
      if ("error" in answer) throw new NotEvaluated(answer.error);
      const { version: _, ...evaluation } = answer;
      return evaluation;
    },
    rest: () => thread.rest(),
    close: () => thread.close(),
  };
}
