import { Worker } from "node:worker_threads";
import { messageOf } from "../../model/lib/message-of.ts";
import { workerBeside } from "../lib/worker-file.ts";
import type { InboxMessage } from "./inbox.ts";

/** The thread's name, under which the kernel counts its processor time. */
export const INBOX_THREAD = "inbox";
/** Milliseconds for which the thread may take to answer, three times as long as a cluster for one message. */
const ANSWER_MS = 15_000;
/** Milliseconds after which a thread that failed is replaced. */
const AGAIN_MS = 5_000;

export interface FetcherData {
  /** `nats://a,b,c`. */
  readonly address: string;
  readonly stream: string;
}

/** What the thread is asked: what comes after a message, and only so many, without those that are lost; or one message. */
export type Fetch =
  | { readonly after: number; readonly most: number; readonly lost: readonly number[] }
  /** `tail`: bytes at its end to make a check of. */
  | { readonly seq: number; readonly tail: number };

/** A message, or that the node nearby does not have it. */
export type Fetched = InboxMessage | { readonly seq: number; readonly bytes?: undefined };

export type FromFetcher =
  | { readonly ready: true }
  | { readonly id: number; readonly found: readonly Fetched[] }
  | { readonly id: number; readonly failed: string };

/** Whoever reads an inbox in place of the thread that decides. */
export type Fetcher = Pick<InboxThread, "ask">;

interface Waiting {
  resolve(found: readonly Fetched[]): void;
  reject(error: Error): void;
}

/**
 * Reads an inbox in a thread of its own, with a connection of its own: of a delta's bytes, which cost more to read and to check
 * than all that is decided of it, the thread that decides gets no more than a reference. Whatever it cannot do is done where
 * it is asked; so nobody waits for it to start.
 */
export class InboxThread {
  readonly #data: FetcherData;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #ready = false;
  #asked = 0;
  #failedAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(data: FetcherData) {
    this.#data = data;
  }

  /** Undefined where the thread cannot be asked (yet). Rejects where it does not answer. */
  ask(what: Fetch): Promise<readonly Fetched[]> | undefined {
    this.#start();
    const worker = this.#worker;
    if (worker === undefined || !this.#ready) return undefined;
    const id = this.#asked++;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Fetched[]>();
    this.#waiting.set(id, { resolve, reject });
    const late = setTimeout(() => this.#fail(worker, "the inbox's thread does not answer"), ANSWER_MS);
    worker.postMessage({ id, ...what });
    return promise.finally(() => clearTimeout(late));
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker !== undefined) this.#fail(worker, "the inbox's thread is closed");
    await worker?.terminate();
  }

  #start(): void {
    if (this.#worker !== undefined || this.#closed) return;
    if (performance.now() - this.#failedAt < AGAIN_MS) return;
    const worker = new Worker(workerBeside(import.meta.url, "nats-fetcher"), {
      workerData: this.#data,
      name: INBOX_THREAD,
    });
    worker.unref();
    worker.on("message", (message: FromFetcher) => this.#hear(message));
    worker.on("error", (error) => this.#fail(worker, messageOf(error)));
    worker.on("exit", () => this.#fail(worker, "the inbox's thread ended"));
    this.#worker = worker;
  }

  #hear(message: FromFetcher): void {
    if ("ready" in message) {
      this.#ready = true;
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ("failed" in message) waiting?.reject(new Error(message.failed));
    else waiting?.resolve(message.found);
  }

  #fail(worker: Worker, why: string): void {
    if (worker !== this.#worker) return; // it is replaced already
    this.#worker = undefined;
    this.#ready = false;
    this.#failedAt = performance.now();
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
    void worker.terminate();
  }
}
