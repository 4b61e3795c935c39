/** What runs on other threads, and may answer in any turn of the event loop. */
const CRYPTO = ["sign", "verify", "digest", "generateKey", "importKey", "exportKey"] as const;

/** Calls what it is given when the test, or whatever else this is for, has finished: Vitest's `onTestFinished`. */
export type WhenFinished = (undo: () => void) => void;

/** Knows when nothing can go on without time. One for each test: it wraps WebCrypto until the test has finished. */
export class Stillness {
  #working = 0;

  constructor(whenFinished: WhenFinished) {
    for (const name of CRYPTO) {
      const before = Object.getOwnPropertyDescriptor(crypto.subtle, name);
      const original = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => Promise<unknown>;
      const counted = (...args: unknown[]) => {
        this.#working++;
        return original(...args).finally(() => this.#working--);
      };
      // No spy, which would keep the arguments and results of every call.
      Object.defineProperty(crypto.subtle, name, { value: counted, configurable: true });
      whenFinished(() => {
        Reflect.deleteProperty(crypto.subtle, name);
        if (before) Object.defineProperty(crypto.subtle, name, before);
      });
    }
  }

  /** Resolves when every call on another thread has been answered, and everybody has acted on the answers. */
  async comes(): Promise<void> {
    do {
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    } while (this.#working > 0);
  }
}

/**
 * Time that passes only when nothing is left to do in the present: an hour of waiting and sending takes
 * milliseconds, and always the same course.
 */
export class VirtualTime {
  now = 0;
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  readonly #stillness: Stillness;

  constructor(whenFinished: WhenFinished) {
    this.#stillness = new Stillness(whenFinished);
  }

  readonly sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#sleepers.push({ at: this.now + Math.max(0, ms), wake: resolve });
    });

  /** Lets time pass until `work` is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    for (;;) {
      await this.#stillness.comes();
      if (done) return settled;
      const next = this.#sleepers.reduce((a, b) => (b.at < a.at ? b : a), { at: Infinity, wake: () => {} });
      if (next.at === Infinity) throw new Error("everybody waits for somebody else");
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.wake();
    }
  }
}

/** One direction of a line: transfers queue behind each other. */
export class Line {
  readonly #time: VirtualTime;
  readonly #bytesPerMs: number;
  #free = 0;

  constructor(time: VirtualTime, bitsPerSecond: number) {
    this.#time = time;
    this.#bytesPerMs = bitsPerSecond / 8_000;
  }

  async carry(bytes: number, signal?: AbortSignal): Promise<void> {
    this.#free = Math.max(this.#free, this.#time.now) + bytes / this.#bytesPerMs;
    await this.#time.sleep(this.#free - this.#time.now, signal);
  }
}
