import { ModelError } from "../contract/config.ts";
import { jsonOf, otherForm } from "./forms.ts";

/** A tensor of somebody's safetensors file. */
export interface FileTensor {
  /** As the file names its type. */
  readonly type: string;
  readonly sides: readonly number[];
  /** Row-major, as f32. Throws `bad-file` for a type that is not read. */
  values(): Float32Array;
}

const bad = (why: string) => new ModelError("bad-file", why);

/** Bytes of a value, of the types that are read. */
const WIDTHS = { F64: 8, F32: 4, F16: 2, BF16: 2 } as const;
const isType = (value: string): value is keyof typeof WIDTHS => Object.hasOwn(WIDTHS, value);
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);

/** Any safetensors file's tensors, each within the file. `name` is what the file is called. */
export function readTensors(file: Uint8Array, name: string): Map<string, FileTensor> {
  const wrong = otherForm(file);
  if (wrong !== undefined) throw bad(`${name} is no safetensors file: it is ${wrong}`);
  if (file.length < 8) throw bad(`${name} is too short for a safetensors file`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > file.length) throw bad(`${name} is cut short: its header is longer than the file`);
  const header = jsonOf(file.subarray(8, start), `the header of ${name}`);
  const tensors = new Map<string, FileTensor>();
  for (const [tensor, entry] of Object.entries(header)) {
    if (tensor === "__metadata__" || typeof entry !== "object" || entry === null) continue;
    const {
      dtype,
      shape,
      data_offsets: offsets,
    }: { dtype?: unknown; shape?: unknown; data_offsets?: unknown } = entry;
    const [from = 0, to = -1] = isCounts(offsets) ? offsets : [];
    if (typeof dtype !== "string" || !isCounts(shape) || from > to || start + to > file.length) {
      throw bad(`${name}: ${tensor} does not lie where its header says; the file may be cut short`);
    }
    const values = shape.reduce((product, side) => product * side, 1);
    if (isType(dtype) && to - from !== values * WIDTHS[dtype]) {
      throw bad(`${name}: ${tensor} does not lie where its header says; the file may be cut short`);
    }
    tensors.set(tensor, {
      type: dtype,
      sides: shape,
      values() {
        if (!isType(dtype)) {
          throw bad(
            `${name}: ${tensor} is stored as ${dtype}, and f64, f32, f16 and bf16 are read: save the model unquantised`,
          );
        }
        return valuesOf(dtype, new Uint8Array(file.subarray(start + from, start + to)).buffer);
      },
    });
  }
  return tensors;
}

function valuesOf(type: keyof typeof WIDTHS, bytes: ArrayBuffer): Float32Array {
  if (type === "F32") return new Float32Array(bytes);
  if (type === "F64") return Float32Array.from(new Float64Array(bytes));
  if (type === "F16") return Float32Array.from(new Float16Array(bytes));
  // bf16 is the upper half of f32.
  return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half * 0x1_0000).buffer);
}
