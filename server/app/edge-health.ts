/** When a server that follows a run last heard of it, and how many deltas it has acknowledged. */
export class EdgeHealth {
  readonly #now: () => number;
  #heard: number;
  #followed: number;
  #receipts = 0;

  /** `now` is monotonic milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#heard = now();
    this.#followed = this.#heard;
  }

  /** Of a server that leads. */
  heard(): void {
    this.#heard = this.#now();
  }

  /** It knows all that the journal had at `since`. */
  followed(since: number): void {
    this.#followed = since;
  }

  acknowledged(): void {
    this.#receipts += 1;
  }

  get receipts(): number {
    return this.#receipts;
  }

  get now(): number {
    return this.#now();
  }

  /** Milliseconds since it heard of a server that leads, or was opened. */
  get leaderSilentMs(): number {
    return this.#now() - this.#heard;
  }

  /** Milliseconds since it knew all that the journal has. */
  get behindMs(): number {
    return this.#now() - this.#followed;
  }
}
