import TinyQueue from "tinyqueue";
import { MAX_VOCABULARY, MIN_VOCABULARY } from "../../protocol/limits.ts";
import { CorpusError } from "./error.ts";
import type { WordCounts } from "./words.ts";

/** Two tokens that become one. The merge at index i makes token 256 + i; the tokens below 256 are the bytes. */
export type Merge = readonly [left: number, right: number];

/** A pair as one number, left × 2¹⁶ + right. */
export type Pair = number;

export const pairOf = (left: number, right: number): Pair => left * 0x1_0000 + right;
const splitPair = (pair: Pair): Merge => [Math.floor(pair / 0x1_0000), pair % 0x1_0000];

/** Times a pair must occur: a pair seen once would be a token that training never meets again. */
const MIN_COUNT = 2;

/**
 * Trains a byte-level BPE (Sennrich et al. 2016, on bytes as in GPT-2): `vocabulary` − 256 times the most
 * frequent pair within words becomes a token; of equally frequent ones the pair with the smaller ids, left
 * before right. A pair that would spell a token we already have is passed over, so that ids and texts are
 * one to one and the vocabulary is exactly as large as asked. There are no special tokens.
 *
 * Pair counts are kept up to date in place: a merge visits only the words that hold its pair.
 *
 * Throws `bad-vocab` when `vocabulary` is out of bounds or the words have too few repeated pairs for it.
 */
export function trainBpe(
  words: WordCounts,
  vocabulary: number,
  onMerge: (done: number, total: number) => void,
): Merge[] {
  checkVocabulary(vocabulary);
  const table = new PairTable(words);
  const spelling = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const spelled = new Set(spelling);
  const merges: Merge[] = [];
  while (256 + merges.length < vocabulary) {
    const pair = table.mostFrequent();
    if (pair === undefined) {
      const most = 256 + merges.length;
      throw new CorpusError("bad-vocab", `this text has repeated pairs for a vocabulary of ${most} at most`);
    }
    const [left, right] = splitPair(pair);
    const text = spelling[left]! + spelling[right]!;
    if (spelled.has(text)) continue;
    table.merge(pair, 256 + merges.length);
    spelling.push(text);
    spelled.add(text);
    merges.push([left, right]);
    onMerge(merges.length, vocabulary - 256);
  }
  return merges;
}

/** Throws `bad-vocab` unless a byte-level tokenizer with 16-bit tokens can have this size. */
export function checkVocabulary(vocabulary: number): void {
  if (Number.isInteger(vocabulary) && vocabulary >= MIN_VOCABULARY && vocabulary <= MAX_VOCABULARY) return;
  const bounds = `${MIN_VOCABULARY} to ${MAX_VOCABULARY}`;
  throw new CorpusError("bad-vocab", `a vocabulary is a whole number from ${bounds}`);
}

/** The distinct words as tokens, and how often each pair occurs in them. */
class PairTable {
  readonly #words: Uint16Array[] = [];
  readonly #times: number[] = [];
  readonly #counts = new Map<Pair, number>();
  /** Words that held the pair when it arose; they may have lost it since, and never gain it again. */
  readonly #holders = new Map<Pair, number[]>();
  /** Counts as they were when pushed. A count that has fallen since is put right when it is taken. */
  readonly #heap = new TinyQueue<{ pair: Pair; count: number }>(
    [],
    (a, b) => b.count - a.count || a.pair - b.pair,
  );

  constructor(words: WordCounts) {
    const utf8 = new TextEncoder();
    for (const [text, times] of words.entries()) {
      const word = Uint16Array.from(utf8.encode(text));
      const index = this.#words.push(word) - 1;
      this.#times.push(times);
      this.#count(index, 1);
      for (let i = 1; i < word.length; i++) this.#hold(pairOf(word[i - 1]!, word[i]!), index);
    }
    for (const [pair, count] of this.#counts) this.#heap.push({ pair, count });
  }

  /** Takes the most frequent pair; undefined when none is left that occurs often enough. */
  mostFrequent(): Pair | undefined {
    for (let top = this.#heap.pop(); top !== undefined; top = this.#heap.pop()) {
      const count = this.#counts.get(top.pair) ?? 0;
      if (count === top.count) return count >= MIN_COUNT ? top.pair : undefined;
      if (count > 0) this.#heap.push({ pair: top.pair, count });
    }
    return undefined;
  }

  /** Replaces a pair by a new token everywhere, in each word from the left. */
  merge(pair: Pair, token: number): void {
    const [left, right] = splitPair(pair);
    const fresh = new Set<Pair>();
    for (const index of this.#holders.get(pair) ?? []) {
      const merged = replacePair(this.#words[index]!, left, right, token);
      if (merged === undefined) continue;
      this.#count(index, -1);
      this.#words[index] = merged;
      this.#count(index, 1);
      for (let i = 1; i < merged.length; i++) {
        if (merged[i - 1] !== token && merged[i] !== token) continue;
        const made = pairOf(merged[i - 1]!, merged[i]!);
        fresh.add(made);
        this.#hold(made, index);
      }
    }
    this.#holders.delete(pair);
    for (const made of fresh) this.#heap.push({ pair: made, count: this.#counts.get(made)! });
  }

  /** Adds (sign 1) or takes away (−1) a word's pairs. */
  #count(index: number, sign: 1 | -1): void {
    const word = this.#words[index]!;
    const times = sign * this.#times[index]!;
    for (let i = 1; i < word.length; i++) {
      const pair = pairOf(word[i - 1]!, word[i]!);
      const count = (this.#counts.get(pair) ?? 0) + times;
      if (count === 0) this.#counts.delete(pair);
      else this.#counts.set(pair, count);
    }
  }

  #hold(pair: Pair, index: number): void {
    const holders = this.#holders.get(pair);
    if (holders === undefined) this.#holders.set(pair, [index]);
    else if (holders[holders.length - 1] !== index) holders.push(index);
  }
}

/** The word with every `left right` made one token; undefined when it holds none. */
function replacePair(word: Uint16Array, left: number, right: number, token: number): Uint16Array | undefined {
  const merged = new Uint16Array(word.length);
  let kept = 0;
  for (let i = 0; i < word.length; i++, kept++) {
    const found = word[i] === left && word[i + 1] === right;
    merged[kept] = found ? token : word[i]!;
    if (found) i += 1;
  }
  return kept === word.length ? undefined : merged.slice(0, kept);
}
