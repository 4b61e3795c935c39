import { Worker } from "node:worker_threads";
import type { After } from "../../model/lib/deadline.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { SILENCE_MS, Watchdog } from "../lib/watchdog.ts";
import { workerBeside } from "../lib/worker-file.ts";
import type { Vectors } from "./merge.ts";
import type { FromMerger, ToMerger } from "./merge-messages.ts";
import type { Merger } from "./merger.ts";

/** A version that was not made: its thread failed, ended, or hung. */
export class NotMerged extends Error {
  override readonly name = "NotMerged";
}

/** A {@link Merger} that owns a thread. */
export interface ThreadMerger extends Merger {
  /** Ends the thread, unless it merges; the next version starts another. */
  rest(): Promise<void>;
  /** Ends the thread; a version half merged is rejected. */
  close(): Promise<void>;
}

/** Frames on their way to the thread: enough to keep it busy, few enough to cost little memory. */
const IN_FLIGHT = 4;

const WORKER = workerBeside(import.meta.url, "merge-worker");

/**
 * Merges in a worker thread, so that the event loop goes on taking deltas while a large model's matrices are turned.
 * The thread keeps the vectors it made, so that between versions nothing is copied here. One that failed or hangs is
 * replaced at the next job, which merges the same frames from the journal.
 */
export function mergeInThread(file: URL = WORKER, after?: After): ThreadMerger {
  let line: Line | undefined;
  /** The vectors that the thread has too. */
  let held: Vectors | undefined;
  let closed = false;
  let merging = false;

  const end = async () => {
    const ending = line;
    line = undefined;
    held = undefined;
    await ending?.end();
  };

  return {
    async merge({ orthogonalize: _, ...rule }, { vectors, weights, lead = 0, places, frames }) {
      if (closed) throw new NotMerged("the merging thread is closed");
      line ??= new Line(file, after);
      const { post, answer, hold } = line;
      merging = true;
      hold(true);
      try {
        post({
          type: "begin",
          rule,
          weights,
          lead,
          ...(places && { places }),
          ...(vectors !== held && { vectors }),
        });
        let onTheWay = 0;
        for await (const frame of places === undefined ? frames : []) {
          if (onTheWay === IN_FLIGHT) await answer();
          else onTheWay++;
          const own = frame.slice(); // it may be a piece of a larger buffer
          post({ type: "frame", frame: own }, [own.buffer]);
        }
        post({ type: "finish" });
        for (; onTheWay > 0; onTheWay--) await answer();
        const last = await answer();
        if (last.type !== "merged") throw new NotMerged(`the merging thread answered "${last.type}"`);
        held = last.merged.vectors;
        hold(false);
        return last.merged;
      } catch (error) {
        void end(); // a thread that hangs may take long to end, too
        throw error;
      } finally {
        merging = false;
      }
    },
    rest: async () => {
      if (!merging) await end();
    },
    async close() {
      closed = true;
      await end();
    },
  };
}

/** A thread's messages, one answer after another. */
class Line {
  readonly #worker: Worker;
  readonly #answers: FromMerger[] = [];
  #waiting: (() => void) | undefined;
  #failure: string | undefined;
  readonly #dog: Watchdog;

  constructor(file: URL, after: After | undefined) {
    this.#worker = new Worker(file);
    this.#worker.unref();
    this.#worker.on("message", (answer: FromMerger) => {
      this.#dog.heard();
      if (answer.type === "working") return;
      this.#answers.push(answer);
      this.#wake();
    });
    const died = (why: string) => {
      this.#failure ??= why;
      this.#wake();
    };
    this.#dog = new Watchdog((ms) => died(`the merging thread said nothing for ${ms / 1_000} s`), after);
    this.#worker.on("error", (error) => died(messageOf(error)));
    this.#worker.on("exit", (code) => died(`the merging thread ended with code ${code}`));
  }

  readonly post = (message: ToMerger, transfer: readonly ArrayBuffer[] = []): void => {
    this.#worker.postMessage(message, transfer);
  };

  /** Whether the thread keeps the process alive: only while it has something to do. */
  readonly hold = (busy: boolean): void => {
    if (busy) this.#worker.ref();
    else this.#worker.unref();
  };

  /** The next answer. Rejects with {@link NotMerged} when the thread says it failed, or is gone. */
  readonly answer = async (): Promise<FromMerger> => {
    this.#dog.start(SILENCE_MS);
    while (this.#answers.length === 0 && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#dog.stop();
    const answer = this.#answers.shift();
    if (answer === undefined) throw new NotMerged(this.#failure);
    if (answer.type === "failed") throw new NotMerged(answer.error);
    return answer;
  };

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}
