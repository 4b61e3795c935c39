/**
 * The generator behind every random choice that must come out the same everywhere: PCG32 (O'Neill 2014,
 * XSH-RR), integer arithmetic only. Not for secrets.
 */
export class Random {
  #state: bigint;
  static readonly #MULTIPLIER = 6_364_136_223_846_793_005n;
  static readonly #INCREMENT = 1_442_695_040_888_963_407n;
  static readonly #MASK = (1n << 64n) - 1n;

  constructor(seed: number) {
    this.#state = 0n;
    this.u32();
    this.#state = (this.#state + BigInt(seed >>> 0)) & Random.#MASK;
    this.u32();
  }

  /** A uniform integer from 0 to 2³² − 1. */
  u32(): number {
    const old = this.#state;
    this.#state = (old * Random.#MULTIPLIER + Random.#INCREMENT) & Random.#MASK;
    const shifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffff_ffffn);
    const rotation = Number(old >> 59n);
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  }

  /** A uniform integer from 0 to `bound` − 1, without bias (Lemire's rejection). */
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
}
