import fc from "fast-check";
import { expect, test } from "vitest";
import { DENSE4, F32 } from "../../protocol/codec/codec.ts";
import { addFrame, encodeFrame } from "../../protocol/frame.ts";
import { merge } from "../../test/harness/merge-once.ts";
import type { Outer } from "./outer.ts";
import type { MergeRule } from "./step.ts";
import { initialVectors } from "./vectors.ts";

const vector = (...values: number[]) => Float32Array.from(values);
const frame = (...values: number[]) => encodeFrame(F32, vector(...values));
const ruleOf = (outer: Outer, downlink = F32): MergeRule => ({
  outer,
  downlink,
  matrices: [],
  orthogonalize: () => {},
});
const AVERAGE = { kind: "average", rate: 1, momentum: 0 } as const;

test("averaging at rate 1 lands on the weighted mean of the volunteers' weights", () => {
  const frames = [
    { frame: frame(1, 0), weight: 300 },
    { frame: frame(0, 4), weight: 100 },
  ];
  const { vectors } = merge(initialVectors(vector(10, 10)), frames, ruleOf(AVERAGE));
  expect([...vectors.theta]).toEqual([9.25, 9]);
  expect([...vectors.x]).toEqual([9.25, 9]);
});

test("weights divided by more than their sum make a shorter mean", () => {
  const frames = [{ frame: frame(8, 0), weight: 1 }];
  expect(merge(initialVectors(vector(10, 10)), frames, { ...ruleOf(AVERAGE), total: 4 }).norm).toBe(2);
  const moved = (total?: number) => {
    const rule = { ...ruleOf(AVERAGE), ...(total !== undefined && { total }) };
    return [...merge(initialVectors(vector(10, 10)), frames, rule).vectors.theta];
  };
  expect(moved(4)).toEqual([8, 10]);
  expect(moved()).toEqual([2, 10]);
});

test("Nesterov carries its momentum into the next version", () => {
  const outer = { kind: "nesterov", rate: 0.5, momentum: 0.5 } as const;
  const first = merge(initialVectors(vector(0)), [{ frame: frame(1), weight: 1 }], ruleOf(outer));
  // m = 1; θ = −.5·(1 + .5·1)
  expect(first.vectors).toMatchObject({ momentum: vector(1), theta: vector(-0.75) });
  const second = merge(first.vectors, [{ frame: frame(0), weight: 1 }], ruleOf(outer));
  // m = .5; θ = −.75 − .5·(0 + .5·.5)
  expect(second.vectors).toMatchObject({ momentum: vector(0.5), theta: vector(-0.875) });
});

test("what a coarse downlink leaves out is sent later: x catches up with θ", () => {
  const start = initialVectors(vector(0, 0, 0));
  let { vectors } = merge(start, [{ frame: frame(-1, -0.03, 0.011), weight: 1 }], ruleOf(AVERAGE, DENSE4));
  expect(vectors.x[1]).not.toBe(vectors.theta[1]);
  for (let i = 0; i < 5; i++) {
    vectors = merge(vectors, [{ frame: frame(0, 0, 0), weight: 1 }], ruleOf(AVERAGE, DENSE4)).vectors;
  }
  for (let i = 0; i < 3; i++) expect(vectors.x[i]).toBeCloseTo(vectors.theta[i]!, 5);
});

test("a replica that applies the diffs holds the server's bytes", () => {
  const finite = fc.float({ min: -8, max: 8, noNaN: true });
  const delta = fc.tuple(finite, finite, finite, finite, finite);
  fc.assert(
    fc.property(fc.array(fc.array(delta, { minLength: 1, maxLength: 4 }), { maxLength: 6 }), (versions) => {
      let server = initialVectors(vector(1, -1, 0.5, 3, 0));
      const replica = server.x.slice();
      for (const deltas of versions) {
        const frames = deltas.map((values, i) => ({
          frame: encodeFrame(DENSE4, vector(...values)),
          weight: i + 1,
        }));
        const before = server.x.slice();
        const merged = merge(server, frames, ruleOf({ kind: "nesterov", rate: 0.7, momentum: 0.3 }, DENSE4));
        expect(server.x).toEqual(before);
        server = merged.vectors;
        addFrame(merged.diff, replica, 1); // as every replica does (B1)
        expect(replica).toEqual(server.x);
      }
    }),
  );
});

test("the order of the deltas is part of the result", () => {
  // f32 addition does not associate: 1e8 + 3 − 1e8 is 0 or 3 by order.
  const of = (...values: number[]) => values.map((value) => ({ frame: frame(value), weight: 1 }));
  const start = initialVectors(vector(0));
  const forth = merge(start, of(1e8, 3, -1e8), ruleOf(AVERAGE)).vectors.theta[0];
  const back = merge(start, of(1e8, -1e8, 3), ruleOf(AVERAGE)).vectors.theta[0];
  expect(forth).not.toBe(back);
});

test("nothing to merge is an error, not a NaN", () => {
  expect(() => merge(initialVectors(vector(0)), [], ruleOf(AVERAGE))).toThrow(RangeError);
});
