import { ModelError, type ModelShape } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";
import { jsonOf } from "./forms.ts";
import { LAYER_NORM_EPSILON } from "./hugging-face.ts";
import { readTensors } from "./safetensors-file.ts";

/** A GPT-2 read from Hugging Face's files, in our layout. */
export interface ReadModel {
  readonly shape: ModelShape;
  /** Flat, in the layout's order. */
  readonly weights: Float32Array<ArrayBuffer>;
}

/** One of a model's files. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads a GPT-2's weights from its safetensors files: one, or several that each hold a part. Tensors may be named with
 * or without `transformer.`, and be f64, f32, f16 or bf16; the attention mask that old files store, and a head that is
 * the embedding again, are passed over. Throws `bad-file` for anything that our network would compute otherwise.
 */
export function fromHuggingFace(shape: ModelShape, files: readonly NamedFile[]): ReadModel {
  const layout = layoutOf(shape);
  const tensors = new Map(files.flatMap(({ name, bytes }) => [...readTensors(bytes, name)]));
  const names = files.map(({ name }) => name).join(", ");
  const weights = new Float32Array(layout.length);
  for (const { name, shape: sides, offset } of layout.tensors) {
    const found = tensors.get(name) ?? tensors.get(`transformer.${name}`);
    if (found === undefined) throw bad(`${names}: there is no ${name}`);
    if (String(found.sides) !== String(sides)) {
      throw bad(`${name} is ${found.sides.join(" × ")}, where config.json makes it ${sides.join(" × ")}`);
    }
    weights.set(found.values(), offset);
  }
  const lost = weights.findIndex((value) => !Number.isFinite(value));
  if (lost >= 0) throw bad("a weight is not a finite number");
  return { shape, weights };
}

/** The files that a model.safetensors.index.json says the weights are in. Throws `bad-file`. */
export function shardsOf(index: Uint8Array): string[] {
  const { weight_map: map } = jsonOf(index, SAFETENSORS_INDEX);
  const names = typeof map === "object" && map !== null ? [...new Set(Object.values(map))] : [];
  // A name with a folder in it could lead anywhere on the machine.
  const plain = names.filter((name): name is string => typeof name === "string" && /^[\w.-]+$/.test(name));
  if (plain.length === 0 || plain.length < names.length) {
    throw bad(`${SAFETENSORS_INDEX} does not say which files the weights are in`);
  }
  return plain;
}

export const SAFETENSORS_INDEX = "model.safetensors.index.json";

const bad = (why: string) => new ModelError("bad-file", why);

/** Our network's config; one that differs is another network. */
const FIXED: Readonly<Record<string, readonly unknown[]>> = {
  activation_function: ["gelu_new", "gelu_pytorch_tanh"],
  layer_norm_epsilon: [LAYER_NORM_EPSILON],
  scale_attn_weights: [true],
  scale_attn_by_inverse_layer_idx: [false],
  tie_word_embeddings: [true],
  add_cross_attention: [false],
};

/** The shape that config.json gives a GPT-2. Throws `bad-file` for another network, or one that ours is not. */
export function shapeOf(bytes: Uint8Array): ModelShape {
  const config = jsonOf(bytes, "config.json");
  if (config.model_type !== "gpt2") {
    throw bad(`config.json is of a ${String(config.model_type)}; only a gpt2 is read`);
  }
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
