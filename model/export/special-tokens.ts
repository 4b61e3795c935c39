/** A token that stands for no text. */
export interface SpecialToken {
  readonly id: number;
  readonly content: string;
}

/** A tokenizer's special tokens by what they mean; those that it has not are undefined. */
export interface SpecialTokens {
  /** Stands before a text. */
  readonly begin: SpecialToken | undefined;
  /** Stands after a text, where a reader of the model stops. */
  readonly end: SpecialToken | undefined;
  /** Fills a batch up. */
  readonly pad: SpecialToken | undefined;
}

/**
 * How models of the common families call theirs: a tokenizer.json gives its tokens names and no meaning. The first
 * that a tokenizer has counts; `<|endoftext|>`, GPT-2's, stands between texts, so it is both.
 */
const NAMES = {
  begin: ["<|begin_of_text|>", "<|startoftext|>", "<s>", "<bos>", "[BOS]", "<|endoftext|>", "[CLS]"],
  end: [
    "<|endoftext|>",
    "<|end_of_text|>",
    "</s>",
    "<eos>",
    "[EOS]",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end|>",
    "[SEP]",
  ],
  pad: ["<pad>", "<|pad|>", "[PAD]", "<|padding|>"],
} as const;

/**
 * Finds the special tokens in the added tokens of a tokenizer.json, by their names and never by their order. `rows`
 * is how many tokens the model knows: one beyond is none of its own.
 */
export function specialTokens(added: unknown, rows: number): SpecialTokens {
  const tokens = addedTokens(added).filter(({ id }) => id < rows);
  const first = (names: readonly string[]) => {
    for (const name of names) {
      const token = tokens.find(({ content }) => content.toLowerCase() === name.toLowerCase());
      if (token !== undefined) return { id: token.id, content: token.content };
    }
    return undefined;
  };
  return { begin: first(NAMES.begin), end: first(NAMES.end), pad: first(NAMES.pad) };
}

export interface AddedToken extends SpecialToken {
  readonly special: boolean;
}

/** The well-formed entries of a tokenizer.json's `added_tokens`. */
export const addedTokens = (value: unknown): AddedToken[] =>
  Array.isArray(value) ? value.filter(isAdded) : [];

const isAdded = (value: unknown): value is AddedToken =>
  typeof value === "object" &&
  value !== null &&
  "id" in value &&
  Number.isInteger(value.id) &&
  "content" in value &&
  typeof value.content === "string" &&
  "special" in value &&
  typeof value.special === "boolean";
