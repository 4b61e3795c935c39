import type { ModelShape } from "../contract/config.ts";
import { layoutOf } from "../contract/layout.ts";
import { encodeSafetensors } from "../data/safetensors.ts";
import { jsonOf } from "./forms.ts";
import { type SpecialTokens, specialTokens } from "./special-tokens.ts";

/** GPT-2's, everywhere. */
export const LAYER_NORM_EPSILON = 1e-5;

export interface ModelFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A folder that Hugging Face's `AutoModelForCausalLM.from_pretrained` takes as GPT-2: our safetensors file has
 * its tensor names and shapes already, and `tokenizer` (tokenizer.json) is its format too.
 */
export function huggingFaceFiles(
  shape: ModelShape,
  weights: Float32Array,
  tokenizer: Uint8Array<ArrayBuffer>,
): ModelFile[] {
  const special = specialTokensOf(tokenizer, shape.vocabulary);
  const ids = {
    bos_token_id: special.begin?.id ?? null,
    eos_token_id: special.end?.id ?? null,
    ...(special.pad && { pad_token_id: special.pad.id }),
  };
  return [
    { name: "config.json", bytes: json({ ...configOf(shape), ...ids }) },
    { name: "generation_config.json", bytes: json({ max_length: shape.context, do_sample: true, ...ids }) },
    { name: "model.safetensors", bytes: encodeSafetensors(layoutOf(shape), weights) },
    { name: "tokenizer.json", bytes: tokenizer },
    { name: "tokenizer_config.json", bytes: json(tokenizerConfigOf(shape, special)) },
  ];
}

function configOf({ layers, heads, width, context, vocabulary }: ModelShape) {
  return {
    architectures: ["GPT2LMHeadModel"],
    model_type: "gpt2",
    vocab_size: vocabulary,
    n_positions: context,
    n_ctx: context,
    n_embd: width,
    n_layer: layers,
    n_head: heads,
    n_inner: null,
    activation_function: "gelu_new",
    layer_norm_epsilon: LAYER_NORM_EPSILON,
    attn_pdrop: 0,
    embd_pdrop: 0,
    resid_pdrop: 0,
    initializer_range: 0.02,
    scale_attn_weights: true,
    scale_attn_by_inverse_layer_idx: false,
    reorder_and_upcast_attn: false,
    tie_word_embeddings: true,
    use_cache: true,
    torch_dtype: "float32",
  };
}

/**
 * Meanings of the tokenizer's own special tokens. Our trained tokenizers have none, and then the numbers must be null: GPT-2's
 * own would lie outside the vocabulary.
 */
function specialTokensOf(tokenizer: Uint8Array, rows: number): SpecialTokens {
  return specialTokens(jsonOf(tokenizer, "tokenizer.json").added_tokens, rows);
}

/** The general class: GPT2TokenizerFast would add a token `<|endoftext|>` that the model has no row for. */
const tokenizerConfigOf = ({ context }: ModelShape, { begin, end, pad }: SpecialTokens) => ({
  tokenizer_class: "PreTrainedTokenizerFast",
  ...(begin && { bos_token: begin.content }),
  ...(end && { eos_token: end.content }),
  ...(pad && { pad_token: pad.content }),
  model_max_length: context,
  clean_up_tokenization_spaces: false,
  add_prefix_space: false,
});

const json = (value: unknown): Uint8Array<ArrayBuffer> =>
  new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
