import { ITERATIONS, type MuonMatrix, QUINTIC, stepScale } from "../../contract/muon.ts";
import type { MuonStep, Slot } from "../ops.ts";
import { denseStride } from "../products.ts";
import { gemm } from "./kernels/gemm.ts";
import { GROUPS_LIMIT, type Kernel } from "./kernels/kernel.ts";
import { apply, lanesOf, momentum, scale } from "./kernels/muon.ts";
import type { Batch, Product } from "./kernels/product.ts";
import type { Tiles } from "./kernels/tile.ts";

const [A, B, C] = QUINTIC;

/**
 * Values of the workspace in which several matrices are transposed at once: 16 MiB, an eighth of what every device
 * binds. With so much to do in a dispatch, one more costs little.
 */
const MAX_WORKSPACE = 2 ** 22;

/** Values: regions of the workspace begin at multiples of this, so that products can read four at a time. */
const LINE = 4;

/** Matrices of one shape that are turned at once, each read as [n, m], n ≤ m, whichever way it lies. */
export interface MuonBatch {
  readonly n: number;
  readonly m: number;
  readonly matrices: readonly MuonMatrix[];
}

/** All matrices, in as few batches as the workspace allows. */
export function muonBatches(matrices: readonly MuonMatrix[]): MuonBatch[] {
  const shapes = new Map<string, MuonMatrix[]>();
  for (const matrix of matrices) {
    const shape = sidesOf(matrix).join("×");
    shapes.set(shape, [...(shapes.get(shape) ?? []), matrix]);
  }
  return [...shapes.values()].flatMap((alike) => {
    const [n, m] = sidesOf(alike[0]!);
    const most = Math.floor(MAX_WORKSPACE / regionsOf({ n, m, count: 1 }).length);
    const each = Math.max(1, Math.min(most, GROUPS_LIMIT));
    return Array.from({ length: Math.ceil(alike.length / each) }, (_, i) => ({
      n,
      m,
      matrices: alike.slice(i * each, (i + 1) * each),
    }));
  });
}

const sidesOf = ({ rows, columns }: MuonMatrix): [number, number] => [
  Math.min(rows, columns),
  Math.max(rows, columns),
];

/** Values of {@link muon}'s workspace. */
export const muonWorkspace = (matrices: readonly MuonMatrix[]): number =>
  Math.max(
    ...muonBatches(matrices).map(({ n, m, matrices }) => regionsOf({ n, m, count: matrices.length }).length),
  );

/** A batch's regions, one matrix after another in each: x and y [n, m], gram and square [n, n], sums [lanes]. */
function regionsOf(
  { n, m, count }: { readonly n: number; readonly m: number; readonly count: number },
  from = 0,
) {
  let end = from;
  const region = (values: number): Slot => {
    const offset = end;
    end += Math.ceil((count * values) / LINE) * LINE;
    return { arena: "activations", offset, length: count * values };
  };
  const regions = {
    x: region(n * m),
    y: region(n * m),
    gram: region(n * n),
    square: region(n * n),
    sums: region(lanesOf(n * m)),
  };
  return { ...regions, length: end - from };
}

/** Three words a matrix, batch by batch: where it begins, its stride, and 1 where its rows are the longer side. */
export const muonTable = ({ matrices }: MuonStep): Uint32Array<ArrayBuffer> =>
  Uint32Array.from(
    muonBatches(matrices).flatMap(({ matrices }) =>
      matrices.flatMap(({ offset, rows, columns, stride }) => [offset, stride, rows > columns ? 1 : 0]),
    ),
  );

/** The op as dispatches, {@link ITERATIONS} × 3 and 3 more a batch. `table` is where the tokens' arena holds {@link muonTable}. */
export function muon(op: MuonStep, tiles: Tiles, table: number): Kernel[] {
  let entry = table;
  return muonBatches(op.matrices).flatMap(({ n, m, matrices }) => {
    const count = matrices.length;
    const regions = regionsOf({ n, m, count }, op.workspace.offset);
    const { x, sums } = regions;
    const batch = { n, m, count, table: entry };
    entry += 3 * count;
    const { products, turned } = newtonSchulz(batch, regions);
    return [
      momentum(op, batch, x, sums),
      scale(batch, x, sums),
      ...products.map((product) => gemm(product, tiles)),
      apply(op, batch, turned, stepScale(n, m)),
    ];
  });
}

/** The products of Newton–Schulz' iteration (contract/muon.ts) on each x, of norm 1, and where its result lies. */
function newtonSchulz(
  { n, m, count }: { readonly n: number; readonly m: number; readonly count: number },
  regions: Readonly<Record<"x" | "y" | "gram" | "square", Slot>>,
): { readonly products: Product[]; readonly turned: Slot } {
  const { gram, square } = regions;
  let { x, y } = regions;
  const products: Product[] = [];
  for (let turn = 0; turn < ITERATIONS; turn++) {
    products.push(
      product("NT", x, x, gram, [n, n, m], null, { count, product: 1, residual: 0 }),
      product("NN", gram, gram, square, [n, n, n], gram, { count, product: C, residual: B }),
      product("NN", square, x, y, [n, m, n], x, { count, product: 1, residual: A }),
    );
    [x, y] = [y, x];
  }
  return { products, turned: x };
}

function product(
  mode: "NN" | "NT",
  a: Slot,
  b: Slot,
  out: Slot,
  [m, n, k]: readonly [number, number, number],
  residual: Slot | null,
  batch: Batch,
): Product {
  const nothing = {
    bias: null,
    pre: null,
    biasGradient: null,
    activation: "none",
    accumulate: false,
  } as const;
  const stride = denseStride({ mode, m, n, k });
  return { op: "gemm", mode, a, b, out, m, n, k, stride, residual, batch, ...nothing };
}
