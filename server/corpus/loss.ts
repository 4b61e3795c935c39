/** Characters that a tokenizer is tried on, at most: enough to meet a language's rarer letters. */
const MAX_SAMPLED = 1024 * 1024;
/** Blocks of which one is sampled; the first few all are, since a text may change its language on the way. */
const SAMPLE_EVERY = 8;

/** Measures how much of a text does not come back from a tokenizer, on a sample of its blocks. */
export class LossMeter {
  readonly #decode: (tokens: Uint16Array) => string;
  #blocks = 0;
  #sampled = 0;
  #lost = 0;

  constructor(decode: (tokens: Uint16Array) => string) {
    this.#decode = decode;
  }

  add(text: string, tokens: Uint16Array): void {
    const block = this.#blocks++;
    if (this.#sampled >= MAX_SAMPLED || (block >= SAMPLE_EVERY && block % SAMPLE_EVERY !== 0)) return;
    // Decoders of whole texts take white space off their ends; in the corpus blocks follow one another.
    const given = text.trim();
    this.#sampled += given.length;
    this.#lost += lostCharacters(given, this.#decode(tokens).trim());
  }

  /** The part of the characters that is lost, from 0 to 1. */
  get share(): number {
    return this.#sampled === 0 ? 0 : this.#lost / this.#sampled;
  }
}

/** How many UTF-16 units of a text another has not, counted by their kind and not by their place. */
export function lostCharacters(text: string, back: string): number {
  const counts = new Int32Array(0x1_0000);
  for (let i = 0; i < text.length; i++) counts[text.charCodeAt(i)]! += 1;
  for (let i = 0; i < back.length; i++) counts[back.charCodeAt(i)]! -= 1;
  return counts.reduce((lost, count) => lost + Math.max(0, count), 0);
}

/** Describes lost text to the operator. */
export function lossLine(share: number): string {
  const percent = share < 0.001 ? "less than 0.1%" : `${(100 * share).toFixed(1)}%`;
  return (
    `the tokenizer loses text: ${percent} of the characters do not come back from their tokens (capital letters, ` +
    "line breaks or letters that it does not know). The model will never write them"
  );
}
