import { ModelError, type ModelShape } from "../config.ts";
import { layoutOf } from "../layout.ts";
import { LAYER_NORM_EPSILON } from "./hugging-face.ts";

/** A GPT-2 read from Hugging Face's files, in our layout. */
export interface ReadModel {
  readonly shape: ModelShape;
  /** Flat, in the layout's order. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/**
 * Reads config.json and model.safetensors of a GPT-2. Tensors may be named with or without `transformer.`, and
 * be f32, f16 or bf16; the attention mask that old files store, and a head that is the embedding again, are
 * passed over. Throws `bad-file` for anything that our network would compute otherwise.
 */
export function fromHuggingFace(config: Uint8Array, file: Uint8Array): ReadModel {
  const shape = shapeOf(config);
  const layout = layoutOf(shape);
  const tensors = readTensors(file);
  const weights = new Float32Array(layout.length);
  for (const { name, shape: sides, offset } of layout.tensors) {
    const found = tensors.get(name) ?? tensors.get(`transformer.${name}`);
    if (found === undefined) throw bad(`model.safetensors has no ${name}`);
    if (String(found.sides) !== String(sides)) {
      throw bad(`${name} is ${found.sides.join(" × ")}, where config.json makes it ${sides.join(" × ")}`);
    }
    weights.set(found.values(), offset);
  }
  const lost = weights.findIndex((value) => !Number.isFinite(value));
  if (lost >= 0) throw bad("a weight is not a finite number");
  return { shape, weights };
}

const bad = (why: string) => new ModelError("bad-file", why);

/** What our network is; a config that says otherwise is another network. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  activation_function: ["gelu_new", "gelu_pytorch_tanh"],
  layer_norm_epsilon: [LAYER_NORM_EPSILON],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  tie_word_embeddings: [true],
  add_cross_attention: [false],
};

function shapeOf(bytes: Uint8Array): ModelShape {
  const config = jsonOf(bytes, "config.json");
  if (config.model_type !== "gpt2")
    throw bad(`config.json is of a ${String(config.model_type)}, not of a gpt2`);
  for (const [key, allowed] of Object.entries(FIXED)) {
    if (config[key] !== undefined && !allowed.includes(config[key])) {
      throw bad(`config.json: ${key} is ${String(config[key])}, which this network does not do`);
    }
  }
  const count = (key: string) => {
    const value = config[key];
    if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value;
    throw bad(`config.json: ${key} is no whole number above 0`);
  };
  const width = count("n_embd");
  const inner = config.n_inner;
  if (inner !== undefined && inner !== null && inner !== 4 * width) {
    throw bad(`config.json: n_inner is ${String(inner)}, where this network has ${4 * width}`);
  }
  const heads = count("n_head");
  if (width % heads !== 0) throw bad(`config.json: n_embd ${width} is no multiple of n_head ${heads}`);
  return {
    ...{ layers: count("n_layer"), heads, width },
    ...{ context: count("n_positions"), vocabulary: count("vocab_size") },
  };
}

interface FileTensor {
  readonly sides: readonly number[];
  /** Row-major, as f32. */
  values(): Float32Array;
}

const WIDTHS = { F32: 4, F16: 2, BF16: 2 } as const;
const isType = (value: unknown): value is keyof typeof WIDTHS =>
  typeof value === "string" && Object.hasOwn(WIDTHS, value);
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one >= 0);

/** Any safetensors file's tensors of types that we read, each within the file. */
function readTensors(file: Uint8Array): Map<string, FileTensor> {
  if (file.length < 8) throw bad("model.safetensors is too short");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  if (start > file.length) throw bad("model.safetensors: its header is longer than the file");
  const header = jsonOf(file.subarray(8, start), "model.safetensors' header");
  const tensors = new Map<string, FileTensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__" || typeof entry !== "object" || entry === null) continue;
    const {
      dtype,
      shape,
      data_offsets: offsets,
    }: { dtype?: unknown; shape?: unknown; data_offsets?: unknown } = entry;
    if (!isType(dtype)) continue; // e.g. the attention mask, as bytes
    const size = isCounts(shape) ? shape.reduce((product, side) => product * side, 1) * WIDTHS[dtype] : -1;
    const [from = 0, to = -1] = isCounts(offsets) ? offsets : [];
    if (!isCounts(shape) || to - from !== size || start + to > file.length) {
      throw bad(`model.safetensors: ${name} does not lie where its header says`);
    }
    tensors.set(name, {
      sides: shape,
      values: () => valuesOf(dtype, new Uint8Array(file.subarray(start + from, start + to)).buffer),
    });
  }
  return tensors;
}

function valuesOf(type: keyof typeof WIDTHS, bytes: ArrayBuffer): Float32Array {
  if (type === "F32") return new Float32Array(bytes);
  if (type === "F16") return Float32Array.from(new Float16Array(bytes));
  // bf16 is the upper half of f32.
  return new Float32Array(Uint32Array.from(new Uint16Array(bytes), (half) => half * 0x1_0000).buffer);
}

function jsonOf(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return { ...json };
  } catch {
    // said below
  }
  throw bad(`${what} is no JSON object`);
}
