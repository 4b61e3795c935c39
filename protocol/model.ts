import { asInteger } from "./guards.ts";
import { MAX_VOCABULARY, MIN_VOCABULARY } from "./limits.ts";
import { integer, object, type Reader } from "./schema.ts";

const sizes = object({
  layers: integer(1, 96),
  heads: integer(1, 96),
  width: integer(1, 8_192),
  /** Positions the model has: the longest sequence, in tokens. */
  context: integer(2, 8_192),
  vocabulary: integer(MIN_VOCABULARY, MAX_VOCABULARY),
});
/** The shape of a GPT-2 (names after Hugging Face's config: n_layer, n_head, n_embd, n_positions, vocab_size). */
export type ModelShape = ReturnType<typeof sizes>;

export const modelShape: Reader<ModelShape> = (value, field) => {
  const shape = sizes(value, field);
  asInteger(shape.width / shape.heads, `${field}.width / ${field}.heads`, 1, 8_192);
  return shape;
};
