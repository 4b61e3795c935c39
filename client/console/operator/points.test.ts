import { expect, it } from "vitest";
import { lossesOver, paceOver } from "./points.ts";

const point = { deltas: 2, came: 2 };
const overview = {
  heldOut: [
    { version: 0, at: 0, tokens: 0, loss: 5.5 },
    { version: 2, at: 9_000, tokens: 200, loss: 4 },
  ],
  versions: [
    { ...point, version: 1, at: 4_000, tokens: 100, ms: 4_000, loss: 5 },
    { ...point, version: 2, at: 9_000, tokens: 200, ms: 5_000, loss: 4.5 },
  ],
};

it.each([
  ["tokens", [0, 100, 200]],
  ["time", [0, 4_000, 9_000]],
] as const)("both losses stand at their own places over %s", (axis, places) => {
  expect(lossesOver(axis, overview)).toEqual([places, [5.5, undefined, 4], [undefined, 5, 4.5]]);
  expect(paceOver(axis, overview)).toEqual([places.slice(1), [4, 5]]);
});
