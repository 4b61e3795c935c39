/** A bucket of bytes: `rate` a second flow in, `burst` fit. Time is the caller's. */
export class Bucket {
  readonly rate: number;
  readonly #burst: number;
  #bytes: number;
  #at: number;

  constructor(rate: number, burst: number, now: number) {
    this.rate = rate;
    this.#burst = burst;
    this.#bytes = burst;
    this.#at = now;
  }

  /** Takes this many bytes if they are there. More than the burst is given from a full bucket, and owed. */
  take(bytes: number, now: number): boolean {
    this.#fill(now);
    if (this.#bytes < Math.min(bytes, this.#burst)) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** Milliseconds until this many bytes are there. */
  wait(bytes: number, now: number): number {
    this.#fill(now);
    const lacking = Math.min(bytes, this.#burst) - this.#bytes;
    return lacking <= 0 ? 0 : Math.ceil((lacking / this.rate) * 1_000);
  }

  #fill(now: number): void {
    this.#bytes = Math.min(this.#burst, this.#bytes + (Math.max(0, now - this.#at) / 1_000) * this.rate);
    this.#at = Math.max(this.#at, now);
  }
}
