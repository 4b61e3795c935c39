import TinyQueue from "tinyqueue";

interface Later<T> {
  readonly at: number;
  readonly order: number;
  readonly what: T;
}

/** Things that happen later, the soonest first; of two at the same time, the one that was put in first. */
export class Heap<T> {
  readonly #queue = new TinyQueue<Later<T>>([], (a, b) => a.at - b.at || a.order - b.order);
  #order = 0;

  get size(): number {
    return this.#queue.length;
  }

  push(at: number, what: T): void {
    this.#queue.push({ at, order: this.#order++, what });
  }

  pop(): { readonly at: number; readonly what: T } | undefined {
    return this.#queue.pop();
  }
}
