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

/** Distinct words remembered while counting: about 200 MB. */
const MAX_WORDS = 1 << 20;

/** Characters of the longest word that is counted: a token longer than this helps nobody. */
const MAX_WORD = 64;

/**
 * Counts words in bounded memory (Manku & Motwani 2002, lossy counting): when more than `most` distinct words
 * are remembered, the rarest are forgotten until half of that is left. What is forgotten was seen no more
 * often than a few times between two clean-ups, so it could hardly have won a merge.
 */
export class WordCounts {
  readonly #counts = new Map<string, number>();
  readonly #most: number;

  constructor(most: number = MAX_WORDS) {
    this.#most = most;
  }

  add(text: string): void {
    for (const word of wordsOf(text)) {
      const count = this.#counts.get(word);
      if (count !== undefined) this.#counts.set(word, count + 1);
      else if (word.length <= MAX_WORD) this.#counts.set(ownWord(word), 1);
    }
    if (this.#counts.size > this.#most) this.#forget();
  }

  /** Words and how often they came, in the order they were first met. */
  entries(): IterableIterator<[string, number]> {
    return this.#counts.entries();
  }

  #forget(): void {
    for (let rarest = 1; this.#counts.size > this.#most / 2; rarest++) {
      for (const [word, count] of this.#counts) if (count <= rarest) this.#counts.delete(word);
    }
  }
}
