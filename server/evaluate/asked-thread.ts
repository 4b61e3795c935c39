import { Worker } from "node:worker_threads";

/** A worker thread that answers questions, one at a time. */
export interface AskedThread<Question, Answer> {
  /** Rejects with an Error that says why when the thread is closed or busy, cannot start, or dies over the question. */
  ask(question: Question): Promise<Answer>;
  /** Ends the thread. What is being answered stays unanswered: who closes does not listen any more. */
  close(): Promise<void>;
}

interface Asked<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Starts `file` with `data` at the first question; Errors say whose thread it is, `name`, and why it takes no question, `busy`. A thread that dies takes
 * its one question with it and is replaced at the next.
 */
export function askInThread<Question, Answer>(
  file: URL,
  data: () => unknown,
  { name, busy }: { readonly name: string; readonly busy: string },
): AskedThread<Question, Answer> {
  let worker: Promise<Worker> | undefined;
  let asked: Asked<Answer> | undefined;
  let closed = false;

  const settle = (use: (question: Asked<Answer>) => void) => {
    const question = asked;
    asked = undefined;
    if (question !== undefined) use(question);
  };

  const start = (): Promise<Worker> => {
    const died = (error: Error) => {
      if (worker !== starting) return; // it is replaced already: the question is another thread's
      worker = undefined;
      settle(({ reject }) => reject(error));
    };
    const starting = (async () => {
      const started = new Worker(file, { workerData: await data() });
      started.unref(); // a question half answered keeps no process alive
      started.on("message", (answer: Answer) => settle(({ resolve }) => resolve(answer)));
      started.on("error", (error) => died(error instanceof Error ? error : new Error(String(error))));
      started.on("exit", (code) => died(new Error(`${name}'s thread ended with code ${code}`)));
      return started;
    })();
    starting.catch((error: unknown) => died(error instanceof Error ? error : new Error(String(error))));
    return starting;
  };

  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        if (closed || asked !== undefined) {
          reject(new Error(closed ? `${name} is closed` : busy));
          return;
        }
        asked = { resolve, reject };
        worker ??= start();
        // A thread that cannot start has told so itself.
        worker.then((started) => started.postMessage(question)).catch(() => {});
      }),
    close: async () => {
      closed = true;
      asked = undefined;
      await (await worker?.catch(() => undefined))?.terminate();
    },
  };
}
