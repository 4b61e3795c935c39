import { Worker } from "node:worker_threads";
import type { After } from "../../model/lib/deadline.ts";
import { messageOf } from "../../model/lib/message-of.ts";
import { SILENCE_MS, Watchdog } from "../lib/watchdog.ts";
import type { FromMerger, ToMerger } from "./merge-messages.ts";

/** A version that was not made: a thread failed, ended, or hung. */
export class NotMerged extends Error {
  override readonly name = "NotMerged";
}

type Answer = Exclude<FromMerger, { readonly type: "failed" }>;

/** A merging thread, which is asked one thing at a time. */
export class Line {
  readonly #worker: Worker;
  readonly #dog: Watchdog;
  #waiting: { resolve(answer: Answer): void; reject(error: NotMerged): void } | undefined;
  #failure: string | undefined;

  constructor(file: URL, after: After | undefined) {
    this.#worker = new Worker(file);
    this.#worker.unref();
    this.#worker.on("message", (answer: FromMerger) => this.#hear(answer));
    const died = (why: string) => {
      this.#failure ??= why;
      this.#hear({ type: "failed", error: this.#failure });
    };
    this.#dog = new Watchdog((ms) => died(`a merging thread said nothing for ${ms / 1_000} s`), after);
    this.#worker.on("error", (error) => died(messageOf(error)));
    this.#worker.on("exit", (code) => died(`a merging thread ended with code ${code}`));
  }

  /** Its answer. Rejects with {@link NotMerged} when the thread says that it failed, or is gone. */
  ask(message: ToMerger): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(new NotMerged(this.#failure));
      this.#waiting = { resolve, reject };
      this.#dog.start(SILENCE_MS);
      this.#worker.postMessage(message);
    });
  }

  /** Whether the thread keeps the process alive: only while it has something to do. */
  hold(busy: boolean): void {
    if (busy) this.#worker.ref();
    else this.#worker.unref();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #hear(answer: FromMerger): void {
    this.#dog.stop();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (answer.type === "failed") waiting?.reject(new NotMerged(answer.error));
    else waiting?.resolve(answer);
  }
}
