/** Milliseconds between an idle queue's end and its being told from which on the browser must be asking by a timer. */
const COARSE_MS = 40;
/** Milliseconds between nudges. Browsers stretch timers that follow one another to 4. */
const NUDGE_MS = 1;

/**
 * Makes a browser tell at once what the device has finished. Firefox looks only every 100 ms (its bug 1870699), and whenever
 * something is submitted: so nothing is submitted while somebody waits. Where the browser says it at once, this does nothing.
 */
export class Nudge {
  readonly #queue: Pick<GPUQueue, "submit" | "onSubmittedWorkDone">;
  #needed = false;
  #waiting = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(queue: Pick<GPUQueue, "submit" | "onSubmittedWorkDone">) {
    this.#queue = queue;
  }

  /** Finds out whether nudges are needed. Milliseconds in which the browser then says that the device is done. */
  async measure(): Promise<number> {
    await this.#idle(); // may fall anywhere between two looks of a timer; what follows falls right behind one
    const told = Math.min(await this.#idle(), await this.#idle());
    if (told <= COARSE_MS) return told;
    this.#needed = true;
    return Math.min(await this.#idle(), await this.#idle());
  }

  /** The answer, for which the device is nudged until it is there. */
  async during<T>(answer: Promise<T>): Promise<T> {
    if (!this.#needed) return answer;
    if (this.#waiting++ === 0) this.#timer = setInterval(() => this.#queue.submit([]), NUDGE_MS);
    try {
      return await answer;
    } finally {
      if (--this.#waiting === 0) clearInterval(this.#timer);
    }
  }

  async #idle(): Promise<number> {
    const begun = performance.now();
    await this.during(this.#queue.onSubmittedWorkDone());
    return performance.now() - begun;
  }
}
