/** Those who wait for something to change, and look again whenever they are woken. */
export class WaitingList {
  #waiting: (() => void)[] = [];

  /** Resolves at the next {@link wake}. */
  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}
