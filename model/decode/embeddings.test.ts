import { describe, expect, it } from "vitest";
import { layoutOf } from "../contract/layout.ts";
import { Random } from "../lib/random.ts";
import { nearestTokens, tokenEmbeddings, tokenMap } from "./embeddings.ts";

const WIDTH = 6;

/** Rows spread by 3 along one direction, by 2 along another, by 0.05 elsewhere, all about the same middle. */
function cloud(): Float32Array {
  const random = new Random(7);
  const part = () => random.unit() * 2 - 1;
  const rows = Array.from({ length: 300 }, () => {
    const [far, wide] = [3 * part(), 2 * part()];
    return Array.from({ length: WIDTH }, (_, c) => 10 + (c === 1 ? far : c === 4 ? wide : 0.05 * part()));
  });
  return Float32Array.from(rows.flat());
}

describe("the picture of all tokens", () => {
  it("shows the two directions of most difference, whatever the middle", () => {
    const rows = cloud();
    const { points, shown } = tokenMap(rows, WIDTH);
    expect(shown).toBeGreaterThan(0.98);
    expect(Math.max(...points.map(Math.abs))).toBeCloseTo(1, 5);
    const scale = Math.abs(points[0]! / (rows[1]! - 10));
    for (let token = 0; token < 300; token++) {
      expect(Math.abs(points[token * 2]!)).toBeCloseTo(Math.abs(rows[token * WIDTH + 1]! - 10) * scale, 0);
      expect(Math.abs(points[token * 2 + 1]!)).toBeCloseTo(
        Math.abs(rows[token * WIDTH + 4]! - 10) * scale,
        0,
      );
    }
  });

  it("is the same every time, and all zeros where all tokens are equal", () => {
    expect(tokenMap(cloud(), WIDTH)).toEqual(tokenMap(cloud(), WIDTH));
    const same = tokenMap(new Float32Array(12).fill(3), 4);
    expect(same.points.every((value) => value === 0)).toBe(true);
  });
});

describe("the nearest tokens", () => {
  it("are those that point the same way, however long they are", () => {
    const rows = Float32Array.from([1, 0, 0.1, 0.01, 50, 30, -1, 0]);
    expect(nearestTokens(rows, 2, 0, 2)).toEqual([1, 2]);
  });
});

it("embeddings are the layout's first tensor", () => {
  const shape = { layers: 1, heads: 1, width: 4, context: 3, vocabulary: 5 };
  const weights = Float32Array.from({ length: layoutOf(shape).length }, (_, i) => i);
  expect(Array.from(tokenEmbeddings(shape, weights))).toEqual(Array.from({ length: 20 }, (_, i) => i));
});
