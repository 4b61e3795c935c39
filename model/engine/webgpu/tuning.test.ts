import { expect, test } from "vitest";
import { namesOf } from "./kernels/tile.ts";
import { candidates, likeliest, tilesNamed } from "./tuning.ts";

const plain = { software: false, subgroups: false };
const quads = { software: true, subgroups: true };

test("tiles are found again by their names, on an adapter that is offered them", () => {
  for (const gpu of [plain, quads]) expect(tilesNamed(gpu, namesOf(likeliest(gpu)))).toEqual(likeliest(gpu));
  expect(tilesNamed(plain, namesOf(likeliest(quads)))).toBeUndefined();
  expect(
    tilesNamed(quads, { ...namesOf(likeliest(quads)), TN: "register 999×999×1 by 1×1" }),
  ).toBeUndefined();
});

test("whether a tile is split is remembered", () => {
  const { NN, ...others } = likeliest(plain);
  const whole = { ...others, NN: { ...NN, split: false } };
  expect(NN.split).toBe(true);
  expect(namesOf(whole)).not.toEqual(namesOf(likeliest(plain)));
  expect(tilesNamed(plain, namesOf(whole))).toEqual(whole);
});

test("quads are offered only where there are subgroups, and are no real GPU's default", () => {
  const kinds = (gpu: typeof plain) => candidates(gpu).NN.map(({ kind }) => kind);
  expect(kinds(plain)).not.toContain("quad");
  expect(kinds({ software: true, subgroups: false })).not.toContain("quad");
  expect(kinds({ ...plain, subgroups: true })).toContain("quad");
  expect(likeliest({ ...plain, subgroups: true }).NN.kind).toBe("shared");
});
