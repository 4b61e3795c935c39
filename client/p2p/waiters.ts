import type { ChunkList } from "../../protocol/chunks.ts";
import type { Hash } from "../../protocol/ids.ts";

/** An object that came whole, with the list that its bytes were checked against. */
export interface Brought {
  readonly list: ChunkList;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Waiter {
  readonly resolve: (brought: Brought) => void;
  readonly reject: (error: unknown) => void;
  /** Bytes that are here, of how many. */
  readonly progress: (bytes: number, total: number) => void;
}

/** The callers that wait for an object, by object. */
export class Waiters {
  readonly #waiting = new Map<Hash, Waiter[]>();

  /** The object that was asked for first and is not here yet. */
  get first(): Hash | undefined {
    return this.#waiting.keys().next().value;
  }

  add(object: Hash, waiter: Waiter): void {
    this.#waiting.set(object, [...(this.#waiting.get(object) ?? []), waiter]);
  }

  progress(object: Hash, bytes: number, total: number): void {
    for (const { progress } of this.#waiting.get(object) ?? []) progress(bytes, total);
  }

  /** Gives every caller bytes of its own, since each hands them over to another thread: the last one gets these. */
  resolve(object: Hash, { list, bytes }: Brought): void {
    const waiting = this.#take(object);
    waiting.forEach(({ resolve }, i) => {
      resolve({ list, bytes: i === waiting.length - 1 ? bytes : bytes.slice() });
    });
  }

  reject(object: Hash, error: unknown): void {
    for (const { reject } of this.#take(object)) reject(error);
  }

  rejectAll(error: unknown): void {
    for (const object of [...this.#waiting.keys()]) this.reject(object, error);
  }

  #take(object: Hash): Waiter[] {
    const waiting = this.#waiting.get(object) ?? [];
    this.#waiting.delete(object);
    return waiting;
  }
}
