/**
 * Writes the innermost loop of every matrix product as AssemblyScript: a tile of rows × 8 of C stays in
 * registers while k runs. 6 rows with fused multiply-add: 12 sums, two vectors of b and one splat of a fill 15
 * of the 16 SIMD registers of x86-64. Without it a product needs a register of its own: 4 rows, 8 sums.
 *
 * The loop takes one k a turn. Unrolled, V8 schedules loads early, runs out of registers and spills: 6 rows
 * fell from 97% of the multiply-add peak to 65–78%, 4 rows without FMA from 40 to 33 GFLOP/s.
 */
export interface Tile {
  readonly rows: number;
  readonly fma: boolean;
}

export const FMA_TILE: Tile = { rows: 6, fma: true };
export const PLAIN_TILE: Tile = { rows: 4, fma: false };

/** The source of assembly/microkernel.ts, which exists only while build.ts compiles. */
export function microkernelSource({ rows, fma }: Tile): string {
  const sums = Array.from({ length: rows * 2 }, (_, i) => {
    const [row, half] = [i >> 1, i & 1];
    return { row, half, name: `c${row}${half}`, byte: half * 16 };
  });
  const product = (a: string, b: string, c: string) =>
    fma ? `f32x4.relaxed_madd(${a}, ${b}, ${c})` : `f32x4.add(f32x4.mul(${a}, ${b}), ${c})`;
  const step = sums.flatMap(({ row, half, name }) => [
    ...(half === 0 ? [`t = v128.load32_splat(a, ${row * 4});`] : []),
    `${name} = ${product("t", `b${half}`, name)};`,
  ]);
  const lines = (all: string[], indent: number) => all.join(`\n${" ".repeat(indent)}`);
  return `/** Rows of C that one call computes. */
export const ROWS: i32 = ${rows};

/** a·b + c, fused where this build may. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return ${product("a", "b", "c")};
}

/**
 * C[${rows}, 8] = start + A·B + bias: A a panel packed [k, ${rows}], B a panel packed [k, 8], start [${rows}, 8] with its
 * own stride (0 repeats one row) or 0 for none, bias [8] or 0 for none. Strides in bytes.
 */
export function microkernel(
  k: i32,
  a: usize,
  b: usize,
  c: usize,
  stride: usize,
  start: usize,
  startStride: usize,
  bias: usize,
): void {
  ${lines(
    sums.map(({ name }) => `let ${name} = f32x4.splat(0);`),
    2,
  )}
  if (start) {
    ${lines(
      sums.map(({ name, row, byte }) => `${name} = v128.load(start + ${row} * startStride, ${byte});`),
      4,
    )}
  }
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let t: v128;
    ${lines(step, 4)}
    a += ${rows * 4};
    b += 32;
  }
  if (bias) {
    const b0 = v128.load(bias);
    const b1 = v128.load(bias, 16);
    ${lines(
      sums.map(({ name, half }) => `${name} = f32x4.add(${name}, b${half});`),
      4,
    )}
  }
  ${lines(
    sums.map(({ name, row, byte }) => `v128.store(c + ${row} * stride, ${name}, ${byte});`),
    2,
  )}
}
`;
}
