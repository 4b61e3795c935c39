/**
 * The generator behind every random choice that must come out the same everywhere: PCG32 (O'Neill 2014,
 * XSH-RR), integer arithmetic only. Not for secrets. The 64-bit state is two 32-bit halves, because BigInt
 * would make the first weights of a large model take a minute.
 */
export class Random {
  #high = 0;
  #low = 0;

  constructor(seed: number) {
    this.#advance();
    const sum = this.#low + (seed >>> 0);
    this.#low = sum >>> 0;
    this.#high = (this.#high + (sum > 0xffff_ffff ? 1 : 0)) >>> 0;
    this.#advance();
  }

  /** A uniform integer from 0 to 2³² − 1. */
  u32(): number {
    const high = this.#high;
    const low = this.#low;
    this.#advance();
    // ((state >> 18) ^ state) >> 27, rotated right by state >> 59.
    const mixedHigh = high ^ (high >>> 18);
    const mixedLow = low ^ ((low >>> 18) | (high << 14));
    const shifted = (mixedLow >>> 27) | (mixedHigh << 5);
    const rotation = high >>> 27;
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  }

  /** A uniform integer from 0 to `bound` − 1, without bias (Lemire's rejection). `bound` is 1 to 2³². */
  below(bound: number): number {
    const threshold = (2 ** 32 - bound) % bound;
    for (;;) {
      const value = this.u32();
      if (value >= threshold) return value % bound;
    }
  }

  /** A uniform f64 from 0 (included) to 1 (excluded), 32 bits of it random: exact, so the same everywhere. */
  unit(): number {
    return this.u32() / 2 ** 32;
  }

  /** Puts values into an order that is drawn, in their place: Fisher and Yates, from the end. */
  shuffle<T>(values: { readonly length: number; [i: number]: T }): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [values[i], values[j]] = [values[j]!, values[i]!];
    }
  }

  /** state ← state × 6364136223846793005 + 1442695040888963407 modulo 2⁶⁴. */
  #advance(): void {
    const low = this.#low;
    // The low halves' 64-bit product, from 16-bit pieces.
    const a0 = low & 0xffff;
    const a1 = low >>> 16;
    const cross = Math.imul(a1, LOW_0) + (Math.imul(a0, LOW_0) >>> 16);
    const middle = Math.imul(a0, LOW_1) + (cross & 0xffff);
    const carried = Math.imul(a1, LOW_1) + (cross >>> 16) + (middle >>> 16);
    const sum = (Math.imul(low, LOW) >>> 0) + ADD_LOW;
    this.#low = sum >>> 0;
    this.#high =
      (carried +
        Math.imul(low, HIGH) +
        Math.imul(this.#high, LOW) +
        ADD_HIGH +
        (sum > 0xffff_ffff ? 1 : 0)) >>>
      0;
  }
}

const HIGH = 0x5851_f42d;
const LOW = 0x4c95_7f2d;
const LOW_0 = LOW & 0xffff;
const LOW_1 = LOW >>> 16;
const ADD_HIGH = 0x1405_7b7e;
const ADD_LOW = 0xf767_814f;
