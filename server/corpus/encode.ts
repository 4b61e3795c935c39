import TinyQueue from "tinyqueue";
import { BYTE_CHARACTERS } from "../../model/data/bytechars.ts";
import { type Merge, type Pair, pairOf } from "./bpe.ts";
import { ownWord, wordsOf } from "./words.ts";

/** Words whose tokens are remembered: with natural text nearly every word is found here. */
const MAX_REMEMBERED = 1 << 17;

/** Characters of the longest word that is remembered. */
const MAX_REMEMBERED_WORD = 256;

/**
 * Encodes the corpus with a byte-level BPE of our own training, token for token as @huggingface/tokenizers
 * does from {@link tokenizerJson}, and about six times as fast.
 */
export class BpeEncoder {
  readonly #utf8 = new TextEncoder();
  readonly #ranks: ReadonlyMap<Pair, number>;
  readonly #remembered = new Map<string, Uint16Array>();

  constructor(merges: readonly Merge[]) {
    this.#ranks = new Map(merges.map(([left, right], rank) => [pairOf(left, right), rank]));
  }

  /** The tokens of a text. A lone surrogate counts as U+FFFD. */
  encode(text: string): Uint16Array {
    const words = wordsOf(text).map((word) => this.#tokensOf(word));
    const tokens = new Uint16Array(words.reduce((sum, word) => sum + word.length, 0));
    let at = 0;
    for (const word of words) {
      tokens.set(word, at);
      at += word.length;
    }
    return tokens;
  }

  #tokensOf(word: string): Uint16Array {
    const known = this.#remembered.get(word);
    if (known !== undefined) return known;
    const tokens = this.#mergeAll(this.#utf8.encode(word));
    if (word.length <= MAX_REMEMBERED_WORD) {
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(ownWord(word), tokens);
    }
    return tokens;
  }

  /**
   * Applies the merge of lowest rank, the leftmost of equals, until none applies. `next` links the tokens that
   * are left, so that a word of n bytes takes n log n.
   */
  #mergeAll(bytes: Uint8Array): Uint16Array {
    const n = bytes.length;
    const tokens = Uint16Array.from(bytes);
    const next = Int32Array.from(bytes, (_, i) => i + 1); // n: none
    const previous = Int32Array.from(bytes, (_, i) => i - 1); // −1: none
    const queue = new TinyQueue<number>(); // rank × n + position
    const offer = (at: number) => {
      if (at < 0 || next[at]! >= n) return;
      const rank = this.#ranks.get(pairOf(tokens[at]!, tokens[next[at]!]!));
      if (rank !== undefined) queue.push(rank * n + at);
    };
    for (let at = 0; at < n; at++) offer(at);
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      const at = key % n;
      const after = next[at]!;
      const rank = (key - at) / n;
      if (after < 0 || after >= n) continue; // swallowed by another merge, or now the last
      if (this.#ranks.get(pairOf(tokens[at]!, tokens[after]!)) !== rank) continue;
      tokens[at] = 256 + rank;
      next[at] = next[after]!;
      if (next[after]! < n) previous[next[after]!] = at;
      next[after] = -1;
      offer(previous[at]!);
      offer(at);
    }
    const left: number[] = [];
    for (let at = 0; at < n; at = next[at]!) left.push(tokens[at]!);
    return Uint16Array.from(left);
  }
}

/** The merges of a tokenizer.json that {@link tokenizerJson} made, to the byte; undefined for any other. */
export function ownMerges(file: Uint8Array): readonly Merge[] | undefined {
  const text = new TextDecoder().decode(file);
  const names = new Map<unknown, number>([...BYTE_CHARACTERS].map((name, id) => [name, id]));
  const merges: Merge[] = [];
  try {
    const { model } = JSON.parse(text);
    for (const [left, right] of model.merges) {
      const pair = [names.get(left), names.get(right)] as const;
      if (pair[0] === undefined || pair[1] === undefined) return undefined;
      names.set(`${left}${right}`, BYTE_CHARACTERS.length + merges.length);
      merges.push([pair[0], pair[1]]);
    }
  } catch {
    return undefined;
  }
  return tokenizerJson(merges) === text ? merges : undefined;
}

/**
 * A Hugging Face tokenizer.json (UTF-8 text) for merges of our own training: a BPE model whose first 256 ids
 * are the bytes themselves, byte-level before and after, nothing added.
 */
export function tokenizerJson(merges: readonly Merge[]): string {
  const names = [...BYTE_CHARACTERS];
  const pairs = merges.map(([left, right]) => {
    const pair = [names[left]!, names[right]!] as const;
    names.push(pair.join(""));
    return pair;
  });
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return `${JSON.stringify({
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(names.map((name, id) => [name, id])),
      merges: pairs,
    },
  })}\n`;
}
