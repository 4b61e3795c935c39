import { type After, afterAwake } from "../../model/lib/deadline.ts";
import { concat } from "../../protocol/bytes.ts";
import type { JobLine } from "../lib/jobs.ts";
import { Watchdog } from "../lib/watchdog.ts";
import { decodeSaid, type Said } from "./said.ts";

/** Milliseconds in which a worker must say that it has a job, and then between two words of its own. */
const TAKEN_MS = 2_000;
const SILENT_MS = 5_000;
/** Workers that are asked for one job. */
const MAX_TRIES = 3;

/** Why a job was not done. */
export class NotDone extends Error {
  override readonly name = "NotDone";
  readonly why: "nobody" | "late" | "failed" | "nonsense";
  /** The worker's name, where it said one. */
  readonly who: string;

  constructor(why: NotDone["why"], who: string, line: string) {
    super(line);
    this.why = why;
    this.who = who;
  }
}

/** A job to be done elsewhere, and what its answer may be. */
export interface Asked<T> {
  readonly kind: string;
  readonly job: Uint8Array;
  /** Milliseconds until the answer must be there, all tries together. */
  readonly deadlineMs: number;
  /** Bytes of the answer. */
  readonly maxBytes: number;
  /** Throws for what is no answer to this job. */
  readonly read: (answer: Uint8Array<ArrayBuffer>) => T;
}

export interface Done<T> {
  readonly answer: T;
  readonly who: string;
}

export interface AskingParts {
  readonly line: JobLine;
  /** Whether a worker is asked for nothing any more. */
  readonly isDistrusted: (who: string) => boolean;
  /** A worker that did not do what it was asked; it is asked no more where that was nonsense. */
  readonly failed: (error: NotDone) => void;
  /** A worker has said that it has the job; of several tries each says so. */
  readonly taken?: () => void;
  readonly after?: After | undefined;
}

/**
 * Has a worker do a job, and another where one is late, dies or answers nonsense; undefined where none did it in time. What it
 * hears is a stranger's word: its length is bounded, and it is read before it is believed.
 */
export async function askWorkers<T>(parts: AskingParts, asked: Asked<T>): Promise<Done<T> | undefined> {
  const { line, failed, after } = parts;
  if (asked.job.length > line.maxBytes) return undefined;
  let giveUp = () => {};
  let late = false;
  const cancel = afterAwake(
    asked.deadlineMs,
    () => {
      late = true;
      giveUp();
    },
    after,
  );
  try {
    for (let tries = 0; tries < MAX_TRIES && !late; tries++) {
      const attempt = new Attempt(parts, asked);
      giveUp = () => attempt.end(new NotDone("late", attempt.who, "it was too late"));
      try {
        const bytes = await attempt.done;
        return { answer: readAs(asked, bytes, attempt.who), who: attempt.who };
      } catch (error) {
        if (!(error instanceof NotDone)) throw error;
        if (error.why === "nobody") return undefined;
        failed(error);
      }
    }
    return undefined;
  } finally {
    cancel();
  }
}

function readAs<T>({ read }: Asked<T>, bytes: Uint8Array<ArrayBuffer>, who: string): T {
  try {
    return read(bytes);
  } catch (error) {
    throw new NotDone("nonsense", who, `it answered nonsense: ${String(error)}`);
  }
}

/** One job at one worker. */
class Attempt {
  readonly done: Promise<Uint8Array<ArrayBuffer>>;
  who = "";
  readonly #parts: AskingParts;
  readonly #maxBytes: number;
  readonly #dog: Watchdog;
  readonly #answered: Uint8Array<ArrayBuffer>[] = [];
  readonly #stop: () => void;
  #settle: { resolve(bytes: Uint8Array<ArrayBuffer>): void; reject(error: NotDone): void } | undefined;
  #bytes = 0;

  constructor(parts: AskingParts, { kind, job, maxBytes }: Asked<unknown>) {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array<ArrayBuffer>>();
    this.done = promise;
    this.#settle = { resolve, reject };
    this.#parts = parts;
    this.#maxBytes = maxBytes;
    this.#dog = new Watchdog((ms) => this.#fail("late", `it said nothing for ${ms / 1_000} s`), parts.after);
    this.#dog.start(TAKEN_MS);
    this.#stop = parts.line.ask(kind, job, (said) => this.#hear(said));
    if (this.#settle === undefined) this.#stop();
  }

  end(error: NotDone): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    this.#over();
    settle.reject(error);
  }

  #fail(why: NotDone["why"], line: string): void {
    this.end(new NotDone(why, this.who, line));
  }

  #hear(message: Uint8Array<ArrayBuffer> | "nobody"): void {
    if (this.#settle === undefined) return;
    const said = message === "nobody" ? message : decodeSaid(message);
    if (said === "nobody") this.#fail("nobody", "nobody takes such jobs just now");
    else if (said === undefined) this.#fail("nonsense", "it said what no worker says");
    else if (said.type === "failed") this.#fail("failed", said.why);
    else if (said.type === "taken") this.#begin(said.who);
    else if (said.type === "working") this.#dog.start(SILENT_MS);
    else this.#take(said);
  }

  #begin(who: string): void {
    this.who = who;
    if (this.#parts.isDistrusted(who)) this.#fail("failed", "it was found to compute wrong before");
    else {
      this.#parts.taken?.();
      this.#dog.start(SILENT_MS);
    }
  }

  #take({ type, bytes }: Extract<Said, { type: "part" | "last" }>): void {
    this.#bytes += bytes.length;
    this.#answered.push(bytes);
    if (this.#bytes > this.#maxBytes) this.#fail("nonsense", "its answer is too long");
    else if (type === "last") this.#answer();
    else this.#dog.start(SILENT_MS);
  }

  #answer(): void {
    const settle = this.#settle;
    this.#over();
    settle?.resolve(concat(...this.#answered));
  }

  #over(): void {
    this.#settle = undefined;
    this.#dog.stop();
    this.#stop?.();
  }
}
