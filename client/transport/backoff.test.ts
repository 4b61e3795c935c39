import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Random } from "../../model/lib/random.ts";
import { Backoff, FLOOR_MS } from "./backoff.ts";

describe("Backoff", () => {
  test("the ceiling doubles up to the cap, and a success starts it again", () => {
    const backoff = new Backoff(() => 1, 1_000, 8_000);
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
      1_000, 2_000, 4_000, 8_000, 8_000,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(1_000);
  });

  test("A17: a thousand whose server was gone for a minute come back one by one; the control: without chance all at once", () => {
    const MINUTE = 60_000;
    /** How many of a thousand make their first try after the minute in the same 100 ms, at most. */
    const crowd = (draw: (i: number) => number) => {
      const slots = new Map<number, number>();
      for (let i = 0; i < 1_000; i++) {
        const backoff = new Backoff(() => draw(i));
        let at = 0;
        while (at < MINUTE) at += backoff.next();
        const slot = Math.floor(at / 100);
        slots.set(slot, (slots.get(slot) ?? 0) + 1);
      }
      return Math.max(...slots.values());
    };
    const random = new Random(1);
    expect(crowd(() => random.unit())).toBeLessThan(30);
    expect(crowd(() => 0.7)).toBe(1_000);
  });

  test("what the server asks for comes on top, so that a crowd told the same time still spreads", () => {
    expect(new Backoff(() => 0.5, 1_000).next(3_000)).toBe(3_500);
  });

  test("never a busy loop, never beyond the cap", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 60 }), (draws) => {
        let at = 0;
        const backoff = new Backoff(() => draws[at++]!, 500, 20_000);
        for (const _ of draws) {
          const wait = backoff.next();
          expect(wait).toBeGreaterThanOrEqual(FLOOR_MS);
          expect(wait).toBeLessThanOrEqual(20_000);
        }
      }),
    );
  });
});
