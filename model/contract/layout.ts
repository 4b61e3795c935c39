import { ModelError, type ModelShape } from "./config.ts";

/**
 * The named layout of the flat parameter vector: GPT-2's tensors, names and shapes exactly as Hugging Face
 * stores them (linear weights are [in, out]), one after another without gaps.
 */
export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of the first value in the flat vector. */
  readonly offset: number;
  readonly length: number;
}

export interface Layout {
  readonly tensors: readonly Tensor[];
  /** Values in the flat vector. */
  readonly length: number;
}

/** Lays a GPT-2 out. Throws `bad-shape` when the width is not a multiple of the heads. */
export function layoutOf({ layers, heads, width, context, vocabulary }: ModelShape): Layout {
  if (width % heads !== 0) throw new ModelError("bad-shape", `width ${width} is not a multiple of ${heads}`);
  const tensors: Tensor[] = [];
  let offset = 0;
  const add = (name: string, ...shape: number[]) => {
    const length = shape.reduce((product, side) => product * side, 1);
    tensors.push({ name, shape, offset, length });
    offset += length;
  };
  add("wte.weight", vocabulary, width); // token embeddings, and the output head (tied)
  add("wpe.weight", context, width); // learned positions
  for (let layer = 0; layer < layers; layer++) {
    const h = `h.${layer}`;
    add(`${h}.ln_1.weight`, width);
    add(`${h}.ln_1.bias`, width);
    add(`${h}.attn.c_attn.weight`, width, 3 * width); // queries, keys, values side by side
    add(`${h}.attn.c_attn.bias`, 3 * width);
    add(`${h}.attn.c_proj.weight`, width, width);
    add(`${h}.attn.c_proj.bias`, width);
    add(`${h}.ln_2.weight`, width);
    add(`${h}.ln_2.bias`, width);
    add(`${h}.mlp.c_fc.weight`, width, 4 * width);
    add(`${h}.mlp.c_fc.bias`, 4 * width);
    add(`${h}.mlp.c_proj.weight`, 4 * width, width);
    add(`${h}.mlp.c_proj.bias`, width);
  }
  add("ln_f.weight", width);
  add("ln_f.bias", width);
  return { tensors, length: offset };
}

/**
 * Whether weight decay pulls on a tensor: matrices and embeddings yes, biases and layer norms no (as nanoGPT
 * and GPT-2's own training do).
 */
export const decays = (tensor: Tensor): boolean => tensor.shape.length > 1;

/** A matrix within the flat vector, row-major. */
export interface Matrix {
  readonly offset: number;
  readonly rows: number;
  readonly columns: number;
}

/** Whether a tensor is a linear layer's matrix. An embedding's row is a token's or a place's own: directions mean nothing across them. */
export const isHidden = ({ name, shape }: Tensor): boolean => shape.length > 1 && !name.startsWith("w");

/** The matrices whose steps Muon makes orthogonal, inside (muon.ts) as in the server's outer step. */
export const hiddenMatrices = ({ tensors }: Layout): Matrix[] =>
  tensors.filter(isHidden).map(({ offset, shape: [rows, columns] }) => ({
    offset,
    rows: rows!,
    columns: columns!,
  }));
