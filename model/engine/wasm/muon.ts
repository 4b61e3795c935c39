import { MOMENTUM, type MuonMatrix, stepScale } from "../../contract/muon.ts";
import type { MuonStep, Slot } from "../ops.ts";
import type { Kernels } from "./kernels.ts";
import { newtonSchulz, squareValues, type Workspace } from "./newton-schulz.ts";

const FLOAT = 4;
/** Values: matrices begin at cache lines, and vectors may read as far past their ends. */
const LINE = 16;

const padded = (values: number): number => Math.ceil(values / LINE) * LINE + LINE;

/** Where the iteration works, one matrix at a time, in memory that begins at `from` (bytes), and its values. */
export function workspaceAt(
  matrices: readonly MuonMatrix[],
  from: number,
): Workspace & { readonly values: number } {
  const values = padded(Math.max(...matrices.map(({ rows, columns }) => rows * columns)));
  const square = padded(Math.max(...matrices.map(({ rows, columns }) => squareValues(rows, columns))));
  const gram = from + FLOAT * 2 * values;
  return {
    x: from,
    y: from + FLOAT * values,
    gram,
    square: gram + FLOAT * square,
    values: 2 * values + 2 * square,
  };
}

/** Values that {@link muonStep} works in. */
export const muonWorkspace = (matrices: readonly MuonMatrix[]): number => workspaceAt(matrices, 0).values;

/** The op as a call. `at` says where a slot lies, `rateNow` what the step's rate is. */
export function muonStep(
  kernels: Kernels,
  op: MuonStep,
  at: (slot: Slot) => number,
  rateNow: () => number,
): () => void {
  const work = workspaceAt(op.matrices, at(op.workspace));
  const [parameters, gradients, m, squares] = [op.parameters, op.gradients, op.m, op.partials].map(at) as [
    number,
    number,
    number,
    number,
  ];
  const view = new Float32Array(kernels.memory.buffer, squares, 1);
  return () => {
    const rate = rateNow();
    const clip = Math.min(1, op.clip / Math.sqrt(view[0]!)); // NaN stays NaN, and shows in the loss
    for (const matrix of op.matrices) {
      const from = FLOAT * matrix.offset;
      const places = { w: parameters + from, g: gradients + from, m: m + from };
      turnMatrix(kernels, matrix, places, work, (1 - MOMENTUM) * clip, rate, rate * op.weightDecay);
    }
  };
}

function turnMatrix(
  kernels: Kernels,
  { rows, columns, stride }: MuonMatrix,
  { w, g, m }: { readonly w: number; readonly g: number; readonly m: number },
  work: Workspace,
  part: number,
  rate: number,
  decay: number,
): void {
  const { blend } = kernels;
  const length = rows * columns;
  blend(rows, columns, m, stride, MOMENTUM, g, stride, part, m, stride);
  blend(rows, columns, g, stride, part, m, stride, MOMENTUM, work.x, columns);
  kernels.sumOfSquares(work.x, length, work.gram);
  const norm = Math.sqrt(new DataView(kernels.memory.buffer, work.gram).getFloat32(0, true));
  blend(1, length, work.x, 0, norm === 0 ? 0 : 1 / norm, work.x, 0, 0, work.x, 0);
  const turned = newtonSchulz(kernels, rows, columns, work);
  blend(rows, columns, w, stride, 1 - decay, turned, columns, -rate * stepScale(rows, columns), w, stride);
}
