import { ADDRESSABLE } from "./device.ts";
import { type Kernels, loadKernels } from "./kernels.ts";
import { newtonSchulz, squareValues, type Workspace } from "./newton-schulz.ts";

const PAGE = 65_536;
const FLOAT = 4;
/** Values that vectors may read past a matrix's end, and the alignment of its beginning. */
const MARGIN = 16;

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
    const work = this.#place(rows * columns, squareValues(rows, columns));
    scale(this.#view(work.x, matrix.length), matrix, Math.fround(1 / norm));
    const result = this.#view(newtonSchulz(this.#kernels, rows, columns, work), matrix.length);
    scale(matrix, result, Math.fround(norm / normOf(result)));
  }

  /** Addresses of two matrices of `values` and two of `gram` values, behind the kernels' own data and scratch. */
  #place(values: number, gram: number): Workspace {
    const { memory, heapBase, gemmScratch, useScratch } = this.#kernels;
    let end = Math.ceil(heapBase() / 64) * 64;
    const place = (count: number) => {
      const at = end;
      end += Math.ceil(((count + MARGIN) * FLOAT) / 64) * 64;
      return at;
    };
    useScratch(place(gemmScratch.value));
    const work = { x: place(values), y: place(values), gram: place(gram), square: place(gram) };
    if (end > ADDRESSABLE) throw new RangeError(`a matrix of ${values} values is too large for WebAssembly`);
    const missing = Math.ceil((end - memory.buffer.byteLength) / PAGE);
    if (missing > 0) memory.grow(missing);
    return work;
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
