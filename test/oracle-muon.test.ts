import { describe, expect, test } from "vitest";
import { hiddenMatrices, layoutOf } from "../model/contract/layout.ts";
import { stepScale } from "../model/contract/muon.ts";
import { Random } from "../model/lib/random.ts";
import { oracleState, oracleUpdate } from "./oracle/oracle.ts";
import { newtonSchulz } from "./oracle/oracle-muon.ts";

const drawn = (length: number, seed: number) => {
  const random = new Random(seed);
  return Float64Array.from({ length }, () => random.unit() - 0.5);
};

/** Of a matrix whose rows are orthogonal already, the singular values are the rows' norms. */
const diagonal = (...values: number[]) =>
  Float64Array.from({ length: values.length ** 2 }, (_, i) =>
    i % (values.length + 1) === 0 ? values[i / (values.length + 1)]! : 0,
  );

describe("Newton–Schulz", () => {
  test("brings singular values a hundredfold apart to between .7 and 1.2, keeping their signs", () => {
    const turned = newtonSchulz(diagonal(1, -0.5, 0.1, 0.01), 4, 4);
    [1, -1, 1, 1].forEach((sign, i) => {
      expect(turned[5 * i]! * sign).toBeGreaterThan(0.65);
      expect(turned[5 * i]! * sign).toBeLessThan(1.25);
    });
    expect(turned.filter((_, i) => i % 5 !== 0).every((value) => value === 0)).toBe(true);
  });

  test("is the scalar quintic on each singular value, by hand", () => {
    const norm = Math.hypot(3, 4);
    const scalar = (x: number) => {
      let value = x / norm;
      for (let i = 0; i < 5; i++) value = 3.4445 * value - 4.775 * value ** 3 + 2.0315 * value ** 5;
      return value;
    };
    const turned = newtonSchulz(diagonal(3, 4), 2, 2);
    expect(turned[0]).toBeCloseTo(scalar(3), 12);
    expect(turned[3]).toBeCloseTo(scalar(4), 12);
  });

  test("of a transposed matrix is the transposed result, whichever side is the longer", () => {
    const [rows, columns] = [3, 7];
    const wide = drawn(rows * columns, 1);
    const tall = Float64Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / rows), i % rows];
      return wide[column * columns + row]!;
    });
    const [a, b] = [newtonSchulz(wide, rows, columns), newtonSchulz(tall, columns, rows)];
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) expect(b[j * rows + i]).toBeCloseTo(a[i * columns + j]!, 12);
  });

  test("does not hear of a matrix's length, and leaves zeros", () => {
    const values = drawn(20, 2);
    const long = newtonSchulz(
      values.map((value) => 1e6 * value),
      4,
      5,
    );
    newtonSchulz(values, 4, 5).forEach((value, i) => {
      expect(long[i]).toBeCloseTo(value, 9);
    });
    expect([...newtonSchulz(new Float64Array(6), 2, 3)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe("a step with Muon", () => {
  const shape = { layers: 2, heads: 2, width: 8, context: 6, vocabulary: 11 };
  const layout = layoutOf(shape);
  const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, clip: 1 };
  const weights = drawn(layout.length, 3);
  const gradient = drawn(layout.length, 4);
  const stepped = (inner: "adamw" | "muon") => {
    const state = oracleState(weights);
    oracleUpdate(layout, state, { ...optimizer, inner }, gradient, 0.01);
    return state;
  };
  const [adamw, muon] = [stepped("adamw"), stepped("muon")];
  const matrices = hiddenMatrices(layout);

  test("turns the four matrices of each layer, and nothing else", () => {
    expect(matrices.map(({ rows, columns }) => [rows, columns])).toEqual(
      [1, 2].flatMap(() => [
        [8, 24],
        [8, 8],
        [8, 32],
        [32, 8],
      ]),
    );
    const inside = (i: number) =>
      matrices.some(({ offset, rows, columns }) => offset <= i && i < offset + rows * columns);
    for (let i = 0; i < layout.length; i++) {
      if (inside(i)) expect(muon.v[i]).toBe(0);
      else
        expect([muon.weights[i], muon.m[i], muon.v[i]]).toEqual([adamw.weights[i], adamw.m[i], adamw.v[i]]);
    }
  });

  test("moves every matrix by .2 of the rate a value, as AdamW would, after its decay", () => {
    for (const { offset, rows, columns } of matrices) {
      let squares = 0;
      for (let i = offset; i < offset + rows * columns; i++)
        squares += ((muon.weights[i]! - weights[i]! * (1 - 0.01 * 0.1)) / 0.01) ** 2;
      const rms = Math.sqrt(squares / (rows * columns));
      expect(rms).toBeGreaterThan(0.14);
      expect(rms).toBeLessThan(0.24);
    }
    expect(stepScale(8, 32)).toBeCloseTo(0.2 * Math.sqrt(32), 12);
  });
});
