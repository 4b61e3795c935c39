import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Random } from "./random.ts";

/** PCG32 as its paper writes it, in 64-bit integers. */
class Pcg32 {
  #state = 0n;

  constructor(seed: number) {
    this.u32();
    this.#state = BigInt.asUintN(64, this.#state + BigInt(seed));
    this.u32();
  }

  u32(): number {
    const old = this.#state;
    this.#state = BigInt.asUintN(64, old * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    const shifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffff_ffffn);
    const rotation = Number(old >> 59n);
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0;
  }
}

describe("Random", () => {
  it("is PCG32 for every seed", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (seed) => {
        const [ours, theirs] = [new Random(seed), new Pcg32(seed)];
        for (let i = 0; i < 200; i++) expect(ours.u32()).toBe(theirs.u32());
      }),
      { numRuns: 200 },
    );
  });

  it("gives these numbers for seed 42, for ever", () => {
    const random = new Random(42);
    expect(Array.from({ length: 4 }, () => random.u32())).toEqual([
      3270867926, 1795671209, 1924641435, 1143034755,
    ]);
  });

  it("draws below a bound without bias", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.integer({ min: 1, max: 2 ** 32 }), (seed, bound) => {
        const random = new Random(seed);
        for (let i = 0; i < 20; i++) {
          const value = random.below(bound);
          expect(value >= 0 && value < bound && Number.isInteger(value)).toBe(true);
        }
      }),
    );
    const random = new Random(1);
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) counts[random.below(3)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400); // 5 σ
  });

  it("puts values into an order that its seed gives for ever, each of them once", () => {
    const order = (length: number) => {
      const values = Uint16Array.from({ length }, (_, i) => i);
      new Random(42).shuffle(values);
      return [...values];
    };
    expect(order(6)).toEqual([5, 1, 0, 3, 4, 2]);
    expect(order(1_000).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect([order(0), order(1)]).toEqual([[], [0]]);
  });
});
