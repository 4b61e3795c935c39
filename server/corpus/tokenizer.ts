import { readFile } from "node:fs/promises";
import { ModelError } from "../../model/contract/config.ts";
import { loadTokenizer } from "../../model/data/tokenizer.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { utf8 } from "../../protocol/bytes.ts";
import { MAX_TOKENIZER_BYTES, MIN_VOCABULARY } from "../../protocol/limits.ts";
import { trainBpe } from "./bpe.ts";
import { BpeEncoder, ownMerges, tokenizerJson } from "./encode.ts";
import { CorpusError } from "./error.ts";
import { WordCounts } from "./words.ts";

/** The tokenizer that a corpus is encoded with. */
export interface CorpusTokenizer {
  readonly vocabulary: number;
  /** tokenizer.json. */
  readonly file: Uint8Array<ArrayBuffer>;
  /** Tokens of a block of text. */
  encode(text: string): Uint16Array;
  /** The text of tokens, of a tokenizer that was given and so may lose some; our own loses none. */
  readonly decode?: (tokens: Uint16Array) => string;
}

/**
 * A byte-level BPE of `vocabulary` tokens trained on blocks of text. Throws `bad-vocab`.
 * `onMerge` hears how many of the merges are made.
 */
export async function trainTokenizer(
  blocks: AsyncIterable<string>,
  vocabulary: number,
  onMerge: (done: number, total: number) => void,
): Promise<CorpusTokenizer> {
  const words = new WordCounts();
  for await (const block of blocks) words.add(block);
  const merges = trainBpe(words, vocabulary, onMerge);
  const encoder = new BpeEncoder(merges);
  return { vocabulary, file: utf8(tokenizerJson(merges)), encode: (text) => encoder.encode(text) };
}

/** The tokenizer that a corpus was encoded with. Throws `bad-corpus`. */
export function keptTokenizer(file: Uint8Array<ArrayBuffer>): CorpusTokenizer {
  const merges = ownMerges(file);
  if (merges === undefined) return givenTokenizer(file, "tokenizer.json", "bad-corpus");
  const encoder = new BpeEncoder(merges);
  return { vocabulary: MIN_VOCABULARY + merges.length, file, encode: (text) => encoder.encode(text) };
}

/**
 * A given tokenizer.json of any kind the library knows, kept byte for byte. A block is encoded on its own, so
 * a tokenizer that puts something before every text puts it before every block. Throws `no-such-file`,
 * `unreadable`, `bad-tokenizer`.
 */
export async function openTokenizer(path: string): Promise<CorpusTokenizer> {
  const file = await readFile(path).catch((error: unknown) => {
    const code = systemCode(error);
    if (code === "ENOENT") throw new CorpusError("no-such-file", `${path}: no such file`);
    throw new CorpusError("unreadable", `${path} cannot be read (${code})`);
  });
  if (file.length > MAX_TOKENIZER_BYTES) {
    throw new CorpusError(
      "bad-tokenizer",
      `${path} has ${file.length} bytes, and a volunteer's page takes ${MAX_TOKENIZER_BYTES} at most`,
    );
  }
  return givenTokenizer(file, path, "bad-tokenizer");
}

function givenTokenizer(
  file: Uint8Array<ArrayBuffer>,
  path: string,
  code: "bad-tokenizer" | "bad-corpus",
): CorpusTokenizer {
  const refuse = (error: unknown): never => {
    if (error instanceof ModelError) throw new CorpusError(code, `${path}: ${error.message}`);
    throw error;
  };
  try {
    const tokenizer = loadTokenizer(file);
    return {
      vocabulary: Math.max(MIN_VOCABULARY, tokenizer.vocabulary),
      file,
      decode: (tokens) => tokenizer.decode(tokens),
      encode(text) {
        try {
          return tokenizer.encode(text);
        } catch (error) {
          return refuse(error);
        }
      },
    };
  } catch (error) {
    return refuse(error);
  }
}
