import { ADDRESSABLE } from "./device.ts";
import { type Kernels, loadKernels } from "./kernels.ts";

const PAGE = 65_536;
const FLOAT = 4;
/** Values that vectors may read past a matrix's end, and the alignment of its beginning. */
const MARGIN = 16;

/** Newton–Schulz' quintic x ← ax + b(xxᵀ)x + c(xxᵀ)²x, steep at zero (Keller Jordan's Muon, 2024). */
const [A, B, C] = [3.4445, -4.775, 2.0315].map(Math.fround) as [number, number, number];
const STEPS = 5;
/** Rows of a symmetric product's block: as many as gemm packs at once. */
const BLOCK = 96;

type Strided = readonly [at: number, row: number, column: number];

/**
 * Brings a matrix near the nearest with orthonormal rows or columns, keeping its Frobenius norm: all its directions
 * then weigh about the same (singular values of .7 to 1.2 times their mean). On the build without fused multiply-add,
 * so the bytes are the same on every machine.
 */
export class Orthogonalizer {
  readonly #kernels: Kernels;

  private constructor(kernels: Kernels) {
    this.#kernels = kernels;
  }

  /** Throws `device-unavailable` where WebAssembly has no SIMD. */
  static async open(): Promise<Orthogonalizer> {
    return new Orthogonalizer(await loadKernels(false));
  }

  /** In place: `matrix` is [rows, columns], row-major. Zeros stay zeros. */
  apply(matrix: Float32Array, rows: number, columns: number): void {
    const norm = normOf(matrix);
    if (!(norm > 0)) return;
    // The smaller side's Gram matrix is the smaller: n is it, and x is read as [n, m] whichever way it lies.
    const wide = rows <= columns;
    const [n, m] = wide ? [rows, columns] : [columns, rows];
    const [row, column] = wide ? [columns, 1] : [1, columns];
    let [x, y, gram, square] = this.#place(rows * columns, n * n);
    scale(this.#view(x, matrix.length), matrix, Math.fround(1 / norm));
    const { gemm } = this.#kernels;
    for (let step = 0; step < STEPS; step++) {
      this.#symmetric(n, m, [x, row, column], [x, column, row], gram, y);
      this.#symmetric(n, n, [gram, n, 1], [gram, n, 1], square, y);
      combine(this.#view(square, n * n), this.#view(gram, n * n));
      if (wide) gemm(n, m, n, square, n, 1, x, row, column, y, 0, 0, 0, 0, 0);
      else gemm(m, n, n, x, column, row, square, n, 1, y, 0, 0, 0, 0, 0); // square is symmetric: (square·x)ᵀ
      addScaled(this.#view(y, matrix.length), this.#view(x, matrix.length));
      [x, y] = [y, x];
    }
    const result = this.#view(x, matrix.length);
    scale(matrix, result, Math.fround(norm / normOf(result)));
  }

  /**
   * out ← a·b of [n, k] and [k, n], where it is known to be symmetric: what lies right of the blocks on the diagonal is
   * worked out, by way of `spare`, and the rest is its mirror image. Matrices are an address, a row's and a column's
   * stride.
   */
  #symmetric(n: number, k: number, a: Strided, b: Strided, out: number, spare: number): void {
    const whole = this.#view(out, n * n);
    for (let from = 0; from < n; from += BLOCK) {
      const [height, width] = [Math.min(BLOCK, n - from), n - from];
      const rows = a[0] + FLOAT * from * a[1];
      const columns = b[0] + FLOAT * from * b[2];
      this.#kernels.gemm(height, width, k, rows, a[1], a[2], columns, b[1], b[2], spare, 0, 0, 0, 0, 0);
      const part = this.#view(spare, height * width);
      for (let i = 0; i < height; i++) {
        whole.set(part.subarray(i * width, (i + 1) * width), (from + i) * n + from);
      }
      for (let j = height; j < width; j++) {
        for (let i = 0; i < height; i++) whole[(from + j) * n + from + i] = part[i * width + j]!;
      }
    }
  }

  /** Addresses of two matrices of `values` and two of `gram` values, behind the kernels' own data and scratch. */
  #place(values: number, gram: number): [number, number, number, number] {
    const { memory, heapBase, gemmScratch, useScratch } = this.#kernels;
    let end = Math.ceil(heapBase() / 64) * 64;
    const place = (count: number) => {
      const at = end;
      end += Math.ceil(((count + MARGIN) * FLOAT) / 64) * 64;
      return at;
    };
    useScratch(place(gemmScratch.value));
    const places: [number, number, number, number] = [place(values), place(values), place(gram), place(gram)];
    if (end > ADDRESSABLE) throw new RangeError(`a matrix of ${values} values is too large for WebAssembly`);
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    return places;
  }

  #view(at: number, values: number): Float32Array {
    return new Float32Array(this.#kernels.memory.buffer, at, values);
  }
}

function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}

function scale(out: Float32Array, values: Float32Array, factor: number): void {
  for (let i = 0; i < out.length; i++) out[i] = values[i]! * factor;
}

/** square ← b·gram + c·square */
function combine(square: Float32Array, gram: Float32Array): void {
  for (let i = 0; i < square.length; i++) square[i] = Math.fround(C * square[i]!) + Math.fround(B * gram[i]!);
}

/** y ← a·x + y */
function addScaled(y: Float32Array, x: Float32Array): void {
  for (let i = 0; i < y.length; i++) y[i] = Math.fround(A * x[i]!) + y[i]!;
}
