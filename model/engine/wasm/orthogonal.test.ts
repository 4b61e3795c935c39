import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { bytesOf } from "../../../protocol/bytes.ts";
import { Random } from "../../lib/random.ts";
import { Orthogonalizer } from "./orthogonal.ts";

function drawn(rows: number, columns: number, seed: number): Float32Array<ArrayBuffer> {
  const random = new Random(seed);
  return Float32Array.from({ length: rows * columns }, () => random.below(2_000_001) / 1e6 - 1);
}

const norm = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** The same iteration in f64, written out: x ← a·x + (b·G + c·G²)·x with G = x·xᵀ. */
function reference(values: Float32Array, rows: number, columns: number): number[][] {
  const scale = norm(values);
  let x = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => values[i * columns + j]! / scale),
  );
  const product = (a: number[][], b: number[][]) =>
    a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
  const transposed = (a: number[][]) => a[0]!.map((_, j) => a.map((row) => row[j]!));
  for (let step = 0; step < 5; step++) {
    const gram = product(x, transposed(x));
    const square = product(gram, gram);
    const turn = gram.map((row, i) =>
      row.map((value, j) => -4.775 * value + 2.0315 * square[i]![j]! + (i === j ? 3.4445 : 0)),
    );
    x = product(turn, x);
  }
  const length = Math.sqrt(x.flat().reduce((sum, value) => sum + value * value, 0));
  return x.map((row) => row.map((value) => (value * scale) / length));
}

test.each([
  [5, 17],
  [17, 5],
  [8, 8],
  [1, 9],
])(
  "a %i × %i matrix within a vector becomes what f64 says, and its neighbours stay",
  async (rows, columns) => {
    const orthogonal = await Orthogonalizer.open();
    const vector = drawn(1, rows * columns + 7, 11);
    const before = vector.slice();
    const matrix = before.subarray(3, 3 + rows * columns);
    orthogonal.apply(vector.subarray(3, 3 + rows * columns), rows, columns);
    const expected = reference(matrix, rows, columns).flat();
    expected.forEach((value, i) => {
      expect(vector[3 + i]).toBeCloseTo(value, 4);
    });
    expect(norm(vector.subarray(3, 3 + rows * columns))).toBeCloseTo(norm(matrix), 4);
    expect([...vector.subarray(0, 3), ...vector.subarray(3 + rows * columns)]).toEqual([
      ...before.subarray(0, 3),
      ...before.subarray(3 + rows * columns),
    ]);
  },
);

test("a matrix with one strong direction becomes one with directions of equal strength; control: it was not", async () => {
  const [rows, columns] = [24, 40];
  const values = drawn(rows, columns, 5).map((value) => value * 0.05);
  const [left, right] = [drawn(1, rows, 6), drawn(1, columns, 7)];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) values[i * columns + j]! += left[i]! * right[j]!;
  const share = (of: Float32Array) => {
    // ‖x·xᵀ‖² ÷ ‖x‖⁴: 1 for rank one, 1 ÷ rank where all singular values are equal.
    let fourth = 0;
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        let dot = 0;
        for (let k = 0; k < columns; k++) dot += of[i * columns + k]! * of[j * columns + k]!;
        fourth += dot * dot;
      }
    }
    return fourth / norm(of) ** 4;
  };
  expect(share(values)).toBeGreaterThan(0.9);
  (await Orthogonalizer.open()).apply(values, rows, columns);
  expect(share(values)).toBeLessThan(1.2 / rows);
});

test("zeros stay zeros, and the memory of a larger matrix does not change a smaller one's bytes", async () => {
  const used = await Orthogonalizer.open();
  const zeros = new Float32Array(12);
  used.apply(zeros, 3, 4);
  expect([...zeros]).toEqual([...new Float32Array(12)]);
  used.apply(drawn(70, 90, 1), 70, 90);
  const again = drawn(6, 10, 2);
  const fresh = again.slice();
  used.apply(again, 6, 10);
  (await Orthogonalizer.open()).apply(fresh, 6, 10);
  expect(again).toEqual(fresh);
});

test.each([
  [5, 17, "25043d966e989d28"],
  [17, 5, "dc93d0cb18319468"],
  [70, 90, "12d679734e050259"],
  [131, 300, "778730072dc14840"],
  [300, 131, "2185af050db7d9e4"],
])("a %i × %i matrix keeps the bytes that runs were made with", async (rows, columns, digest) => {
  const matrix = drawn(rows, columns, 3);
  (await Orthogonalizer.open()).apply(matrix, rows, columns);
  expect(createHash("sha256").update(bytesOf(matrix)).digest("hex").slice(0, 16)).toBe(digest);
});
