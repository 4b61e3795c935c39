import { layoutOf } from "../../model/contract/layout.ts";
import type { After } from "../../model/lib/deadline.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { silenceFor } from "../lib/watchdog.ts";
import { workerBeside } from "../lib/worker-file.ts";
import { askInThread, copyOf } from "./asked-thread.ts";
import { EVALUATION_BATCH } from "./measure.ts";
import type { Answer, Question, WorkerData, Writing } from "./messages.ts";
import type { Evaluator } from "./ports.ts";

/** A version that was not measured: its weights are no numbers, the thread crashed, or ended. */
export class NotEvaluated extends Error {
  override readonly name = "NotEvaluated";
}

/** An {@link Evaluator} that owns a thread. */
export interface ThreadEvaluator extends Required<Evaluator> {
  /** Ends the thread, unless it measures; the next version starts another. */
  rest(): Promise<void>;
  /** Ends the thread. What is being measured stays unanswered: who closes does not listen any more. */
  close(): Promise<void>;
}

/** Milliseconds after which a text may be asked for again. */
const BUSY_MS = 2_000;

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
  const thread = askInThread<Question | Writing, Answer, WorkerData>({
    ...{ file: worker, data: typeof data === "function" ? data : () => data, edition, after },
    name: "the evaluator",
    busy: "another version is being measured",
    sent: (question) => {
      if (question.weights === undefined) return { question, handedOver: [] };
      const weights = copyOf(question.weights);
      return { question: { ...question, weights }, handedOver: [weights.buffer] };
    },
    silence: ({ shape }) => silenceFor(layoutOf(shape).length, EVALUATION_BATCH * shape.context),
  });
  const fail = (error: Error): never => {
    throw new NotEvaluated(error.message);
  };
  let measuring = 0;
  /** The text that is being written, if any: a version to be measured waits for this one alone. */
  let writing: Promise<unknown> | undefined;

  const measure: Evaluator["evaluate"] = async (version, weights) => {
    const answer = await thread.ask({ version, weights }).catch(fail);
    if ("error" in answer) throw new NotEvaluated(answer.error);
    if (!("loss" in answer)) throw new NotEvaluated("the evaluator answered another question");
    const { version: _, ...evaluation } = answer;
    return evaluation;
  };
  const write: ThreadEvaluator["write"] = async ({ version, weights }, order, part, gone) => {
    const left = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const leave = () => void Atomics.store(new Int32Array(left), 0, 1);
    if (gone?.aborted) leave();
    gone?.addEventListener("abort", leave, { once: true });
    const writing = { write: order, version, left };
    try {
      let answer = await thread.ask(writing, part).catch(fail);
      if ("missing" in answer) answer = await thread.ask({ ...writing, weights }, part).catch(fail);
      if ("wrote" in answer) return answer.wrote;
      throw new NotEvaluated("error" in answer ? answer.error : "the evaluator answered another question");
    } finally {
      gone?.removeEventListener("abort", leave);
    }
  };
  return {
    evaluate(version, weights) {
      measuring += 1;
      const measured =
        writing === undefined
          ? measure(version, weights)
          : writing.catch(() => {}).then(() => measure(version, weights));
      return measured.finally(() => {
        measuring -= 1;
      });
    },
    async write(model, order, part, left) {
      if (measuring > 0 || writing !== undefined) {
        throw new ProtocolError("too-many-requests", "the model is busy just now", BUSY_MS);
      }
      const written = write(model, order, part, left);
      writing = written;
      return written.finally(() => {
        writing = undefined;
      });
    },
    rest: () => thread.rest(),
    close: () => thread.close(),
  };
}
