import { ModelError, type ModelShape } from "../contract/config.ts";
import { layoutOf, type Tensor } from "../contract/layout.ts";
import { BYTE_CHARACTERS } from "../data/bytechars.ts";
import { encodeGguf, type GgufTensor, type GgufValue } from "./gguf.ts";
import { LAYER_NORM_EPSILON } from "./hugging-face.ts";
import { addedTokens, specialTokens } from "./special-tokens.ts";

/** The parts of a GPT-2's GGUF. */
export interface GgufModel {
  readonly name: string;
  /** More that is said of the model, by its whole keys. */
  readonly general?: readonly (readonly [string, GgufValue])[];
  readonly shape: ModelShape;
  /** Flat, in the layout's order. */
  readonly weights: Float32Array;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array;
  /** How matrices are stored: f16 halves the file. Vectors and positions stay f32, as llama.cpp needs them. */
  readonly type: "f32" | "f16";
}

/** llama.cpp's `general.file_type`. */
const FILE_TYPE = { f32: 0, f16: 1 } as const;
/** llama.cpp's token types. */
const NORMAL = 1;
const CONTROL = 3;
const UNUSED = 5;

/**
 * A GPT-2 as llama.cpp loads it (its convert_hf_to_gguf.py, GPT2Model): linear weights, which Hugging Face
 * stores [in, out], transposed to [out, in]; the head is the token embedding again, so there is none. Throws
 * `bad-file` for a tokenizer that is no byte-level BPE, which llama.cpp's "gpt2" tokenizer cannot stand for.
 */
export function encodeGpt2Gguf({
  name,
  general = [],
  shape,
  weights,
  tokenizer,
  type,
}: GgufModel): Uint8Array<ArrayBuffer> {
  const layout = layoutOf(shape);
  if (weights.length !== layout.length) {
    throw new ModelError("bad-weights", `${weights.length} values for a model of ${layout.length}`);
  }
  const tensors = layout.tensors.map((tensor) => ggufTensor(tensor, weights, type));
  const metadata = new Map<string, GgufValue>([
    ["general.architecture", { type: "string", value: "gpt2" }],
    ["general.name", { type: "string", value: name }],
    ...general,
    ["general.file_type", { type: "u32", value: FILE_TYPE[type] }],
    ["gpt2.context_length", { type: "u32", value: shape.context }],
    ["gpt2.embedding_length", { type: "u32", value: shape.width }],
    ["gpt2.feed_forward_length", { type: "u32", value: 4 * shape.width }],
    ["gpt2.block_count", { type: "u32", value: shape.layers }],
    ["gpt2.attention.head_count", { type: "u32", value: shape.heads }],
    ["gpt2.attention.layer_norm_epsilon", { type: "f32", value: LAYER_NORM_EPSILON }],
    ...tokenizerMetadata(tokenizer, shape.vocabulary),
  ]);
  return encodeGguf(metadata, tensors);
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^wte\./, "token_embd."],
  [/^wpe\./, "position_embd."],
  [/^ln_f\./, "output_norm."],
  [/^h\.(\d+)\.ln_1\./, "blk.$1.attn_norm."],
  [/^h\.(\d+)\.attn\.c_attn\./, "blk.$1.attn_qkv."],
  [/^h\.(\d+)\.attn\.c_proj\./, "blk.$1.attn_output."],
  [/^h\.(\d+)\.ln_2\./, "blk.$1.ffn_norm."],
  [/^h\.(\d+)\.mlp\.c_fc\./, "blk.$1.ffn_up."],
  [/^h\.(\d+)\.mlp\.c_proj\./, "blk.$1.ffn_down."],
];

function ggufTensor(
  { name, shape, offset, length }: Tensor,
  flat: Float32Array,
  type: "f32" | "f16",
): GgufTensor {
  const found = NAMES.find(([ours]) => ours.test(name));
  if (found === undefined) throw new ModelError("bad-shape", `GGUF has no name for ${name}`);
  const theirs = name.replace(...found);
  const values = flat.subarray(offset, offset + length);
  const [rows, columns] = shape;
  if (rows === undefined || columns === undefined) {
    return { name: theirs, sides: shape, type: "f32", values };
  }
  if (name === "wpe.weight") return { name: theirs, sides: [columns, rows], type: "f32", values };
  if (name === "wte.weight") return { name: theirs, sides: [columns, rows], type, values };
  return { name: theirs, sides: [rows, columns], type, values: transposed(values, rows, columns) };
}

/** Row-major [rows, columns] to row-major [columns, rows]. */
function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      turned[column * rows + row] = values[row * columns + column]!;
  }
  return turned;
}

/** The parts of a tokenizer.json that GGUF wants. */
interface BpeFile {
  readonly model?: { readonly type?: unknown; readonly vocab?: unknown; readonly merges?: unknown };
  readonly pre_tokenizer?: unknown;
  readonly added_tokens?: unknown;
}

/** A byte that no UTF-8 text holds: its token is never seen, so it can stand for a text's ends. */
const NEVER_IN_TEXT = 0xff;

function tokenizerMetadata(file: Uint8Array, vocabulary: number): [string, GgufValue][] {
  const { vocab, merges, added } = readBpe(file);
  const tokens: string[] = Array.from({ length: vocabulary }, (_, id) => `[unused${id}]`);
  const types: number[] = new Array(vocabulary).fill(UNUSED);
  for (const [token, id] of Object.entries(vocab)) {
    if (id >= vocabulary) continue;
    tokens[id] = token;
    types[id] = NORMAL;
  }
  for (const { id, content, special } of added) {
    if (id >= vocabulary) continue;
    tokens[id] = content;
    types[id] = special ? CONTROL : NORMAL;
  }
  // llama.cpp always has an end of text, id 11 where none is named, and stops there. A tokenizer of our own
  // training names none: a token that no text has is as good as none.
  const { begin, end: named, pad } = specialTokens(added, vocabulary);
  const end = named?.id ?? vocab[BYTE_CHARACTERS[NEVER_IN_TEXT]!];
  if (end === undefined) throw notBpe("it has neither a token for the end of a text nor one for each byte");
  const padding: [string, GgufValue][] =
    pad === undefined ? [] : [["tokenizer.ggml.padding_token_id", { type: "u32", value: pad.id }]];
  return [
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: "gpt-2" }],
    ["tokenizer.ggml.tokens", { type: "string[]", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "i32[]", value: types }],
    ["tokenizer.ggml.merges", { type: "string[]", value: merges }],
    ["tokenizer.ggml.bos_token_id", { type: "u32", value: begin?.id ?? end }],
    ["tokenizer.ggml.eos_token_id", { type: "u32", value: end }],
    ...padding,
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: false }],
    ["tokenizer.ggml.add_eos_token", { type: "bool", value: false }],
  ];
}

const notBpe = (why: string) =>
  new ModelError("bad-file", `GGUF needs a byte-level BPE with GPT-2's way of cutting words: ${why}`);

function readBpe(file: Uint8Array) {
  const json: BpeFile = JSON.parse(new TextDecoder().decode(file));
  const { model, pre_tokenizer: before, added_tokens: added } = json;
  if (model?.type !== "BPE" || !isVocabulary(model.vocab) || !Array.isArray(model.merges)) {
    throw notBpe("the tokenizer is of another kind");
  }
  const cuts = JSON.stringify(before ?? null);
  if (!cuts.includes('"ByteLevel"') || cuts.includes('"Split"') || cuts.includes('"use_regex":false')) {
    throw notBpe("it cuts text in another way");
  }
  return { vocab: model.vocab, merges: model.merges.map(mergeLine), added: addedTokens(added) };
}

const isVocabulary = (value: unknown): value is Readonly<Record<string, number>> =>
  typeof value === "object" && value !== null && Object.values(value).every((id) => Number.isInteger(id));

/** A merge is "a b" in older files, ["a", "b"] in newer ones. */
function mergeLine(merge: unknown): string {
  if (typeof merge === "string") return merge;
  if (Array.isArray(merge) && merge.length === 2) return `${merge[0]} ${merge[1]}`;
  throw notBpe("a merge is not a pair");
}
