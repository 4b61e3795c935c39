import fc from "fast-check";
import { expect, test } from "vitest";
import { ticketId, volunteer } from "../../test/harness/driven-run.ts";
import type { Closed } from "./events.ts";
import { cosineOf, crowdFor, lengthsOf } from "./similarity.ts";
import type { Pooled } from "./state.ts";

type Vector = readonly number[];
const dot = (a: Vector, b: Vector) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const normOf = (a: Vector) => Math.sqrt(dot(a, a));

const pooled = (norm: number | undefined, i: number) =>
  ({
    ticket: ticketId(i),
    volunteer: volunteer(i),
    done: { steps: 1, trainMs: 1, ...(norm !== undefined && { norm }) },
  }) as Pooled;
const closedOf = (weights: readonly number[], total?: number): Closed => ({
  ...{ type: "closed", at: 0, version: 0 },
  merged: weights.map((weight, i) => ({ ticket: ticketId(i), weight })),
  ...(total !== undefined && { total }),
});

test("from norms, weights and the mean's norm comes the mean cosine of all pairs, each by its share", () => {
  const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 });
  const weight = fc.double({ min: 0.1, max: 10, noNaN: true });
  const deltas = fc.array(fc.tuple(vector, weight), { minLength: 2, maxLength: 6 });
  fc.assert(
    fc.property(deltas, fc.double({ min: 1, max: 3, noNaN: true }), (some, larger) => {
      const vectors = some.map(([values]) => values);
      fc.pre(vectors.every((values) => normOf(values) > 0.1));
      const weights = some.map(([, each]) => each);
      const total = larger * weights.reduce((sum, each) => sum + each, 0);
      const mean = vectors[0]!.map((_, at) =>
        vectors.reduce((sum, values, i) => sum + (values[at]! * weights[i]!) / total, 0),
      );
      const lengths = lengthsOf(
        vectors.map((values, i) => pooled(normOf(values), i)),
        closedOf(weights, total),
      )!;
      let [cosines, shares] = [0, 0];
      for (const [i, one] of vectors.entries()) {
        for (const [j, other] of vectors.entries()) {
          if (i === j) continue;
          const share = weights[i]! * weights[j]! * normOf(one) * normOf(other);
          shares += share;
          cosines += (share * dot(one, other)) / (normOf(one) * normOf(other));
        }
      }
      expect(cosineOf(lengths, normOf(mean))).toBeCloseTo(cosines / shares, 6);
    }),
  );
});

test("nothing is said of a delta alone, nor where a norm is not known", () => {
  expect(lengthsOf([pooled(1, 0)], closedOf([1]))).toBeUndefined();
  expect(lengthsOf([pooled(1, 0), pooled(undefined, 1)], closedOf([1, 1]))).toBeUndefined();
  const lengths = lengthsOf([pooled(1, 0), pooled(1, 1)], closedOf([1, 0]))!;
  expect(cosineOf(lengths, 1), "one has all the weight").toBeUndefined();
  expect(cosineOf(lengthsOf([pooled(1, 0), pooled(1, 1)], closedOf([1, 1]))!, undefined)).toBeUndefined();
});

test("the less similar deltas are, the more another one helps, and the more volunteers a run can use", () => {
  const worth = (cosine: number, deltas: number) => (deltas * cosine) / (1 + (deltas - 1) * cosine);
  for (const cosine of [0.5, 0.1, 0.02]) {
    for (const deltas of [1, 4, 64]) {
      const more = worth(cosine, deltas + 1) / worth(cosine, deltas) - 1;
      expect(crowdFor(cosine, deltas).oneMore).toBeCloseTo(more, 9);
    }
    expect(worth(cosine, crowdFor(cosine, 4).useful!)).toBeCloseTo(0.8, 2);
  }
  expect(crowdFor(1, 2)).toEqual({ cosine: 1, oneMore: 0, useful: 1 });
  expect(crowdFor(-0.1, 2)).toEqual({ cosine: -0.1, oneMore: 0.5, useful: null });
});
