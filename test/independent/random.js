/** PCG32 (rule T7 of docs/PROTOCOL.md), in BigInt: slow and plain. */
const MASK = (1n << 64n) - 1n;

export class Random {
  #state = 0n;

  constructor(seed) {
    this.#advance();
    this.#state = (this.#state + BigInt(seed)) & MASK;
    this.#advance();
  }

  u32() {
    const old = this.#state;
    this.#advance();
    const mixed = Number((((old >> 18n) ^ old) >> 27n) & 0xffff_ffffn);
    const turn = Number(old >> 59n);
    return ((mixed >>> turn) | (mixed << (-turn & 31))) >>> 0;
  }

  /** From 0 to `bound` − 1. */
  below(bound) {
    const threshold = (2 ** 32 - bound) % bound;
    for (;;) {
      const value = this.u32();
      if (value >= threshold) return value % bound;
    }
  }

  #advance() {
    this.#state = (this.#state * 6364136223846793005n + 1442695040888963407n) & MASK;
  }
}
