/**
 * How text falls into words before byte pairs are merged, within which alone they merge: GPT-2's pattern
 * (Radford et al. 2019), as @huggingface/tokenizers' `ByteLevel` has it, to the letter.
 */
const WORD = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** The words of a text, in order; joined, they are the text. */
export const wordsOf = (text: string): readonly string[] => text.match(WORD) ?? [];

/**
 * A copy of a word that shares no memory with the text it was cut from: V8 keeps a whole text alive for a
 * slice of 13 characters or more.
 */
export const ownWord = (word: string): string =>
  word.length < 13 ? word : Buffer.from(word, "utf16le").toString("utf16le");

/** Distinct words counted at once: about 200 MB. */
const MAX_WORDS = 1 << 20;

/** Characters of all words remembered: what the trainer keeps of them takes some 30 bytes for each. */
const MAX_CHARACTERS = 12 * 1024 * 1024;

/**
 * Characters of a word. A text without spaces, such as a genome or Chinese, would be one word; it is cut into pieces,
 * and only pairs across a cut are lost.
 */
const MAX_WORD = 64;

/**
 * Counts words in bounded memory (Manku & Motwani 2002, lossy counting): when more than `most` distinct words,
 * or more than 12 million characters of them, are remembered, the rarest are forgotten until half of that is left,
 * of equally rare ones the oldest. What is forgotten was seen no more often than a few times between two clean-ups,
 * so it could hardly have won a merge.
 */
export class WordCounts {
  readonly #counts = new Map<string, number>();
  readonly #most: number;
  readonly #mostCharacters: number;
  #characters = 0;

  constructor(most: number = MAX_WORDS, mostCharacters: number = MAX_CHARACTERS) {
    this.#most = most;
    this.#mostCharacters = mostCharacters;
  }

  add(text: string): void {
    for (const word of wordsOf(text)) {
      if (word.length <= MAX_WORD) this.#add(word);
      else for (const piece of piecesOf(word)) this.#add(piece);
    }
    if (this.#counts.size > this.#most || this.#characters > this.#mostCharacters) this.#forget();
  }

  /** Words and how often they came, in the order they were first met. */
  entries(): IterableIterator<[string, number]> {
    return this.#counts.entries();
  }

  #add(word: string): void {
    const count = this.#counts.get(word) ?? 0;
    if (count === 0) this.#characters += word.length;
    this.#counts.set(count === 0 ? ownWord(word) : word, count + 1);
  }

  #forget(): void {
    const enough = () => this.#counts.size <= this.#most / 2 && this.#characters <= this.#mostCharacters / 2;
    for (let rarest = 1; !enough(); rarest++) {
      for (const [word, count] of this.#counts) {
        if (count > rarest) continue;
        if (enough()) return;
        this.#counts.delete(word);
        this.#characters -= word.length;
      }
    }
  }
}

/** A long word in pieces of at most {@link MAX_WORD}, none of which ends within a character. */
function* piecesOf(word: string): Generator<string> {
  for (let at = 0; at < word.length; ) {
    let end = Math.min(word.length, at + MAX_WORD);
    const last = word.charCodeAt(end - 1);
    if (end < word.length && last >= 0xd800 && last < 0xdc00) end -= 1; // the first half of a pair
    yield word.slice(at, end);
    at = end;
  }
}
