import fc from "fast-check";
import { expect } from "vitest";

/** Finite values that an f32 holds. */
export const finite = fc.float({
  noNaN: true,
  noDefaultInfinity: true,
  min: Math.fround(-1e30),
  max: Math.fround(1e30),
});

/** Vectors of finite values, for codecs. */
export const finiteVectors = fc.array(finite, { maxLength: 400 }).map((values) => Float32Array.from(values));

/** a + times × b */
export const plus = (a: Float32Array, b: Float32Array, times = 1): Float32Array =>
  a.map((value, i) => value + times * b[i]!);

export function expectClose(actual: Float32Array, wanted: Float32Array): void {
  expect(actual).toHaveLength(wanted.length);
  for (const [i, value] of actual.entries()) expect(value).toBeCloseTo(wanted[i]!, 4);
}
