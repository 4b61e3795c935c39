import { describe, expect, test } from "vitest";
import { harmless, reachable, rolledBackTo } from "./tripwire.ts";

describe("the tripwire (A25)", () => {
  const curve = (...losses: number[]) => losses.map((loss, version) => ({ version, tokens: version, loss }));
  const points = curve(4, 3.5, 3, 2.9);
  const at = (version: number, loss: number) => ({ version, tokens: version, loss });

  test("a loss that stays far above the recent lowest leads back there, and one very far at once", () => {
    expect(rolledBackTo([...points, at(4, 4)], at(5, 3.9), 0.3)).toBe(3);
    expect(rolledBackTo([...points, at(4, 4), at(5, 3)], at(6, 3.9), 0.3)).toBe(3);
    expect(rolledBackTo(points, at(4, 5.6), 0.3)).toBe(3);
  });

  test("what is mended by the next version, a noisy curve and a beginning set nothing off", () => {
    expect(rolledBackTo(points, at(4, 4), 0.3)).toBeUndefined();
    expect(rolledBackTo([...points, at(4, 4)], at(5, 3), 0.3)).toBeUndefined();
    expect(rolledBackTo([...points, at(4, 3.7)], at(5, 3.7), 0.3)).toBeUndefined();
    expect(rolledBackTo(points.slice(0, 2), at(2, 9), 0.3)).toBeUndefined();
  });

  test("a swarm of one whose steps are large rises and falls by chance; harm, the control, is above that", () => {
    // As measured: one volunteer, 23,000 parameters, Muon at 1.3.
    const measured = [
      3.54, 3.53, 3.56, 3.61, 3.76, 3.76, 3.72, 3.59, 3.64, 3.9, 3.83, 4.15, 4.06, 3.79, 3.83, 3.87, 3.87,
      3.89, 4.17, 4.81, 4.83, 4.27, 3.86,
    ];
    const trips = measured.map((loss, i) => rolledBackTo(curve(...measured.slice(0, i)), at(i, loss), 0.3));
    expect(trips).toEqual(measured.map(() => undefined));
    const harmed = curve(...measured, 5.4);
    expect(rolledBackTo(harmed, at(harmed.length, 5.4), 0.3)).toBe(1);
    // A curve that is smooth knows no chance: there those two versions would be too much.
    const smooth = curve(...measured.map(() => 3.53), 4.81);
    expect(rolledBackTo(smooth, at(smooth.length, 4.83), 0.3)).toBe(0);
  });

  test("harm shows on what is trained on, and leads to the best that is stored; a text learned by heart does not", () => {
    const stored = [
      { version: 10, loss: 3.1 },
      { version: 20, loss: 3 },
      { version: 30, loss: 3.6 },
    ];
    expect(harmless(stored, 4, 0.3)?.version).toBe(20);
    expect(harmless(stored, Number.NaN, 0.3)?.version).toBe(20);
    expect(harmless([{ version: 9, loss: Number.NaN }, ...stored], 4, 0.3)?.version).toBe(20);
    expect(harmless(stored, 2.5, 0.3)).toBeUndefined();
    expect(harmless(stored, 3.3, 0.3)).toBeUndefined();
    expect(harmless([], 9, 0.3)).toBeUndefined();
  });

  test("without a look at it: as far back as was said, else to what was measured and is lower, and not twice", () => {
    const heldOut = [at(5, 2.8), at(30, 3), at(41, 4.2)];
    expect(reachable([4, 30, 40], 5, heldOut, 0.3)).toBe(4);
    expect(reachable([20, 30, 40], 5, heldOut, 0.3)).toBe(30);
    expect(reachable([20, 40], 5, heldOut, 0.3)).toBeUndefined(); // of neither is anything known
    expect(reachable([], 5, heldOut, 0.3)).toBeUndefined();
    const after = [at(5, 2.8), at(30, 3), at(42, 3)];
    expect(reachable([30, 42], 5, after, 0.3)).toBeUndefined();
  });
});
