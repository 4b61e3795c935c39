import { Worker } from "node:worker_threads";
import type { After } from "../../model/lib/deadline.ts";
import { SILENCE_MS, Watchdog } from "../lib/watchdog.ts";
import type { Part } from "./messages.ts";
import { WORKING } from "./progress.ts";

/** A worker thread that answers questions, one at a time. */
export interface AskedThread<Question, Answer> {
  /** Rejects with an Error that says why when the thread is closed or busy, cannot start, or dies over the question. */
  ask(question: Question, onPart?: (part: string) => void): Promise<Answer>;
  /** Ends the thread, unless it is answering; the next question starts another. */
  rest(): Promise<void>;
  /** Ends the thread. What is being answered stays unanswered: who closes does not listen any more. */
  close(): Promise<void>;
}

interface Asked<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly onPart: (part: string) => void;
}

/** A question with memory that goes over to the thread and is nobody's here any more. */
export interface Sent<Question> {
  readonly question: Question;
  readonly handedOver: readonly ArrayBuffer[];
}

/** A copy of what stays in use here, to be handed over: a clone would be held twice on its way, once as it is sent and once as it is read. */
export function copyOf(values: Float32Array): Float32Array<ArrayBuffer> {
  return new Float32Array(values); // in a buffer of its own length, whatever lies beside the values
}

export interface ThreadOptions<Question, Data> {
  /** The worker's file. */
  readonly file: URL;
  /** The data that it is started with. */
  readonly data: () => Data | Promise<Data>;
  /** Changes with the data: a thread that was started with other data is replaced before the next question. */
  readonly edition?: (() => number) | undefined;
  /** What is sent of a question, and the memory in it that is handed over; absent: all of it is cloned. */
  readonly sent?: (question: Question) => Sent<Question>;
  /** The thread's name, and why it takes no question now: for errors. */
  readonly name: string;
  readonly busy: string;
  /** Milliseconds in which it says nothing, not even {@link WORKING}, after which it is given up. */
  readonly silence: (data: Data) => number;
  readonly after?: After | undefined;
}

const isPart = (message: unknown): message is Part =>
  typeof message === "object" && message !== null && "part" in message;

/**
 * Starts the thread at the first question. One that dies or hangs takes its one question with it and is replaced at the
 * next.
 */
export function askInThread<Question, Answer, Data>(
  options: ThreadOptions<Question, Data>,
): AskedThread<Question, Answer> {
  const { file, data, edition = () => 0, name, busy, silence, after } = options;
  const { sent = (question: Question) => ({ question, handedOver: [] }) } = options;
  let startedWith = 0;
  let worker: Promise<Worker> | undefined;
  let asked: Asked<Answer> | undefined;
  let closed = false;
  let silenceMs = SILENCE_MS;
  let giveUp: (error: Error) => void = () => {};
  const dog = new Watchdog(
    (ms) => giveUp(new Error(`${name}'s thread said nothing for ${Math.round(ms / 1_000)} s`)),
    after,
  );

  const settle = (use: (question: Asked<Answer>) => void) => {
    const question = asked;
    asked = undefined;
    dog.stop();
    if (question !== undefined) use(question);
  };

  const start = (): Promise<Worker> => {
    startedWith = edition();
    let started: Worker | undefined;
    const died = (error: Error) => {
      if (worker !== starting) return; // it is replaced already: the question is another thread's
      worker = undefined;
      void started?.terminate();
      settle(({ reject }) => reject(error));
    };
    giveUp = died;
    const starting = (async () => {
      const given = await data();
      silenceMs = silence(given);
      started = new Worker(file, { workerData: given });
      started.unref(); // a question half answered keeps no process alive
      started.on("message", (message: Answer | Part | typeof WORKING) => {
        if (worker !== starting) return;
        if (message === WORKING) dog.heard();
        else if (isPart(message)) asked?.onPart(message.part);
        else settle(({ resolve }) => resolve(message));
      });
      started.on("error", (error) => died(error instanceof Error ? error : new Error(String(error))));
      started.on("exit", (code) => died(new Error(`${name}'s thread ended with code ${code}`)));
      return started;
    })();
    starting.catch((error: unknown) => died(error instanceof Error ? error : new Error(String(error))));
    return starting;
  };

  /** Ends the thread that is there: the next question starts another. */
  const end = async () => {
    const resting = worker;
    worker = undefined;
    await (await resting?.catch(() => undefined))?.terminate();
  };

  return {
    ask: (question, onPart = () => {}) =>
      new Promise((resolve, reject) => {
        if (closed || asked !== undefined) {
          reject(new Error(closed ? `${name} is closed` : busy));
          return;
        }
        asked = { resolve, reject, onPart };
        const own = asked;
        dog.start(silenceMs);
        if (startedWith !== edition()) void end();
        worker ??= start();
        worker
          .then((started) => {
            if (asked !== own) return; // given up while the thread was starting
            dog.start(silenceMs);
            const message = sent(question);
            started.postMessage(message.question, message.handedOver);
          })
          .catch(() => {}); // a thread that cannot start has told so itself
      }),
    rest: async () => {
      if (asked === undefined) await end();
    },
    close: async () => {
      closed = true;
      asked = undefined;
      dog.stop();
      await (await worker?.catch(() => undefined))?.terminate();
    },
  };
}
