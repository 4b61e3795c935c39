import { Tokenizer as HuggingFace } from "@huggingface/tokenizers";
import { ModelError } from "../contract/config.ts";
import { messageOf } from "../lib/message-of.ts";
import { BYTE_OF_CHARACTER } from "./bytechars.ts";

/**
 * Text to tokens and back, from a Hugging Face `tokenizer.json`, the same in pages, Workers and Node. The
 * package behind it is about 10 KB gzipped: import this module with `import()` where text is shown late.
 */
export interface Tokenizer {
  /** One more than the largest id: the rows a model needs. */
  readonly vocabulary: number;

  /**
   * The tokens of a text, without the special ones a post-processor would put around it. A lone surrogate,
   * which UTF-8 cannot hold, counts as U+FFFD.
   */
  encode(text: string): Uint16Array<ArrayBuffer>;

  /** The text of tokens. Bytes that are not UTF-8, as at a cut, come out as U+FFFD. */
  decode(tokens: ArrayLike<number>): string;

  /** Bytes (UTF-8) of the text of tokens, a cut character's among them. */
  bytes(tokens: ArrayLike<number>): number;

  /**
   * One token's own text, for display: a part of a character shows as its bytes, e.g. `\xe2\x80`, because
   * alone it has no character. Empty for an id the file does not name.
   */
  piece(token: number): string;
}

/** The part of the package we use: its own declarations import without file extensions, so they are untyped. */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: readonly (number | undefined)[] };
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string;
  id_to_token(id: number): string | undefined;
  get_vocab(): ReadonlyMap<string | undefined, number>;
}

/** Ids are stored in 16 bits. */
const MAX_VOCABULARY = 65_536;

/** Reads a tokenizer.json. Throws ModelError `bad-file` when it is none, or has more than 65,536 tokens. */
export function loadTokenizer(json: Uint8Array | string): Tokenizer {
  const { library, byteLevel } = open(json);
  let largest = -1;
  for (const id of library.get_vocab().values()) largest = Math.max(largest, id);
  if (largest < 1 || largest >= MAX_VOCABULARY) {
    throw new ModelError(
      "bad-file",
      `a tokenizer has 2 to ${MAX_VOCABULARY} tokens, this one ${largest + 1}`,
    );
  }
  const decode = (tokens: ArrayLike<number>) =>
    tokens.length === 0 ? "" : library.decode(Array.from(tokens), { clean_up_tokenization_spaces: false });
  return {
    vocabulary: largest + 1,
    encode(text) {
      const { ids } = library.encode(text, { add_special_tokens: false });
      return Uint16Array.from(ids, (id) => {
        if (id === undefined) throw new ModelError("bad-file", "the tokenizer has no token for some text");
        return id;
      });
    },
    decode,
    bytes(tokens) {
      if (!byteLevel) return utf8Length(decode(tokens));
      let sum = 0;
      for (const token of Array.from(tokens)) sum += byteLevelLength(library.id_to_token(token) ?? "");
      return sum;
    },
    piece(token) {
      const name = library.id_to_token(token);
      if (name === undefined) return "";
      return byteLevel ? bytePiece(name) : name.replaceAll("▁", " ");
    },
  };
}

function open(json: Uint8Array | string): { library: Library; byteLevel: boolean } {
  try {
    const text = typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json);
    const file = JSON.parse(text);
    const byteLevel = JSON.stringify(file.decoder ?? null).includes('"type":"ByteLevel"');
    return { library: new HuggingFace(file, {}), byteLevel };
  } catch (cause) {
    const why = messageOf(cause);
    throw new ModelError("bad-file", `not a tokenizer.json: ${why}`);
  }
}

/** A byte-level token's text from its name in the file; an added token's name is its text. */
function bytePiece(name: string): string {
  const bytes: number[] = [];
  for (const character of name) {
    const byte = BYTE_OF_CHARACTER.get(character);
    if (byte === undefined) return name;
    bytes.push(byte);
  }
  return showBytes(Uint8Array.from(bytes));
}

/** Bytes of a byte-level token by its name in the file: one a character, unless it is an added token's own text. */
function byteLevelLength(name: string): number {
  const characters = Array.from(name);
  return characters.every((one) => BYTE_OF_CHARACTER.has(one)) ? characters.length : utf8Length(name);
}

const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

/** UTF-8 as text, with every byte that belongs to no whole character as `\x` and two hex digits. */
function showBytes(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = characterAt(bytes, at);
    if (length === 0) text += `\\x${bytes[at]!.toString(16).padStart(2, "0")}`;
    else text += new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return text;
}

/** Bytes of the whole UTF-8 character at `at`, or 0 where none begins. */
function characterAt(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not whole yet, or never: a longer stretch decides.
    }
  }
  return 0;
}
