/**
 * Writes the innermost loop of every matrix product as AssemblyScript: a tile of rows × 8 of C stays in
 * registers while k runs. 6 rows with fused multiply-add: 12 sums, two vectors of b and one splat of a fill 15
 * of the 16 SIMD registers of x86-64. Without it a product needs a register of its own: 4 rows, 8 sums.
 */
export interface Tile {
  readonly rows: number;
  /** Steps of k a loop turn. */
  readonly unroll: number;
  readonly fma: boolean;
}

export const FMA_TILE: Tile = { rows: 6, unroll: 4, fma: true };
export const PLAIN_TILE: Tile = { rows: 4, unroll: 4, fma: false };

/** The source of assembly/microkernel.ts, which exists only while build.ts compiles. */
export function microkernelSource({ rows, unroll, fma }: Tile): string {
  const sums = Array.from({ length: rows }, (_, row) => [0, 1].map((half) => ({ row, half })))
    .flat()
    .map(({ row, half }) => ({
      row,
      half,
      name: `c${row}${half}`,
      at: `c + ${row} * stride`,
      byte: half * 16,
    }));

  const step = (k: number): string[] => [
    `b0 = v128.load(b, ${k * 32});`,
    `b1 = v128.load(b, ${k * 32 + 16});`,
    ...sums.flatMap(({ row, half, name }) => {
      const splat = half === 0 ? [`t = v128.load32_splat(a, ${(k * rows + row) * 4});`] : [];
      const sum = fma
        ? `${name} = f32x4.relaxed_madd(t, b${half}, ${name});`
        : `${name} = f32x4.add(${name}, f32x4.mul(t, b${half}));`;
      return [...splat, sum];
    }),
  ];
  const loop = (times: number): string => {
    const body = Array.from({ length: times }, (_, k) => step(k)).flat();
    return `while (k >= ${times}) {
    ${body.join("\n    ")}
    a += ${times * rows * 4};
    b += ${times * 32};
    k -= ${times};
  }`;
  };
  return `/** Rows of C that one call computes. */
export const ROWS: i32 = ${rows};

/** Fused multiply-add where this build has it: a·b + c. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return ${fma ? "f32x4.relaxed_madd(a, b, c)" : "f32x4.add(f32x4.mul(a, b), c)"};
}

/** C[${rows}, 8] (+)= a panel of A, packed [k, ${rows}], times a panel of B, packed [k, 8]; stride in bytes. */
export function microkernel(k: i32, a: usize, b: usize, c: usize, stride: usize, add: bool): void {
  ${sums.map(({ name }) => `let ${name} = f32x4.splat(0);`).join("\n  ")}
  if (add) {
    ${sums.map(({ name, at, byte }) => `${name} = v128.load(${at}, ${byte});`).join("\n    ")}
  }
  let b0: v128, b1: v128, t: v128;
  ${loop(unroll)}
  ${unroll > 1 ? loop(1) : ""}
  ${sums.map(({ name, at, byte }) => `v128.store(${at}, ${name}, ${byte});`).join("\n  ")}
}
`;
}
