import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bird, fly, NEIGHBOURS, newBird } from "./flock.ts";

const WIDE = 4;

function flock(size: number, seed: number): Bird[] {
  let state = seed;
  const random = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return Array.from({ length: size }, () => newBird(random, WIDE));
}

/** Mean heading of unit velocities: 1 when all fly one way, near 0 when each flies its own. */
function order(birds: readonly Bird[]): number {
  const sum = birds.reduce(
    ([x, y], { vx, vy }) => {
      const speed = Math.hypot(vx, vy);
      return [x + vx / speed, y + vy / speed] as const;
    },
    [0, 0] as readonly [number, number],
  );
  return Math.hypot(...sum) / birds.length;
}

describe("the flock", () => {
  it("stays in the sky and keeps moving, however long the pause between frames", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 9_999 }), (size, seed) => {
        const birds = flock(size, seed);
        for (let i = 0; i < 60; i++) fly(birds, 0.1, WIDE);
        for (const { x, y, vx, vy } of birds) {
          expect(x >= 0 && x < WIDE && y >= 0 && y < 1).toBe(true);
          expect(Math.hypot(vx, vy)).toBeGreaterThan(0.01);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("aligns by its neighbours: scattered headings become one", () => {
    const birds = flock(NEIGHBOURS + 1, 7); // each the others' neighbour, so one flock
    birds.forEach((bird, i) => {
      bird.vx = 0.17 * Math.cos(i * 0.55);
      bird.vy = 0.17 * Math.sin(i * 0.55);
    });
    expect(order(birds)).toBeLessThan(0.6);
    for (let i = 0; i < 60; i++) fly(birds, 0.05, WIDE);
    expect(order(birds)).toBeGreaterThan(0.9);
  });
});
