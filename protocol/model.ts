import { asInteger, asObject } from "./guards.ts";
import { MAX_VOCABULARY, MIN_VOCABULARY } from "./limits.ts";

/** The shape of a GPT-2 (names after Hugging Face's config: n_layer, n_head, n_embd, n_positions, vocab_size). */
export interface ModelShape {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  /** Positions the model has: the longest sequence, in tokens. */
  readonly context: number;
  readonly vocabulary: number;
}

/** Reads a shape from a stranger's JSON. Throws `bad-request` naming the field. */
export function parseModelShape(value: unknown): ModelShape {
  const json = asObject(value, "model");
  const shape = {
    layers: asInteger(json.layers, "model.layers", 1, 96),
    heads: asInteger(json.heads, "model.heads", 1, 96),
    width: asInteger(json.width, "model.width", 1, 8_192),
    context: asInteger(json.context, "model.context", 2, 8_192),
    vocabulary: asInteger(json.vocabulary, "model.vocabulary", MIN_VOCABULARY, MAX_VOCABULARY),
  };
  asInteger(shape.width / shape.heads, "model.width / model.heads", 1, 8_192);
  return shape;
}
