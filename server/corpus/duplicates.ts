import { hash } from "node:crypto";
import type { Duplicates } from "./index-file.ts";
import { passagesOf } from "./passages.ts";

/** Characters (normalised) below which a passage may well come twice: a heading, a name, "he said". */
const MIN_PASSAGE = 64;

/** Times that a passage can grow when it is normalised: one letter stands for eighteen at most (Unicode's NFKC). */
const MAX_GROWTH = 18;

/** Passages that are remembered: 128 MB of hashes, of some 2 GB of text. Of a longer text the rest is not looked for. */
const MAX_REMEMBERED = 1 << 23;

/** Finds passages that came before: the same words whatever their case, their spacing and their forms of letters. */
export class DuplicateFinder {
  readonly #seen = new HashSet();
  #passages = 0;
  #bytes = 0;

  get found(): Duplicates {
    return { passages: this.#passages, bytes: this.#bytes };
  }

  /** Remembers text that is there. */
  async learn(text: AsyncIterable<string>): Promise<void> {
    for await (const passages of passagesOf(text)) for (const passage of passages) this.#isNew(passage);
  }

  /** Passes a text on, counts the passages that came before, and leaves them out where `drop` says so. */
  async *filter(text: AsyncIterable<string>, drop: boolean): AsyncGenerator<string, void, undefined> {
    for await (const passages of passagesOf(text)) {
      let kept = "";
      for (const passage of passages) {
        const isNew = this.#isNew(passage);
        if (!isNew) this.#passages += 1;
        if (!isNew) this.#bytes += Buffer.byteLength(passage);
        if (isNew || !drop) kept += passage;
      }
      if (kept !== "") yield kept;
    }
  }

  #isNew(passage: string): boolean {
    const key = keyOf(passage);
    return key === undefined || this.#seen.add(key);
  }
}

/** What needs no normal form: most of many texts, and it takes the longest. */
const ASCII = /^[\t-~]*$/;

/** 64 bits of the SHA-256 of a passage's words; undefined for one that is too short to be known by them. */
function keyOf(passage: string): bigint | undefined {
  if (passage.length < MIN_PASSAGE / MAX_GROWTH) return undefined;
  const plain = ASCII.test(passage) ? passage : passage.normalize("NFKC");
  const words = plain.toLowerCase().replace(/\s+/g, " ").trim();
  if (words.length < MIN_PASSAGE) return undefined;
  return hash("sha256", words, "buffer").readBigUInt64LE() || 1n; // nought marks a free place
}

/** A set of 64-bit hashes in one array, eight bytes a place, half of them free. */
class HashSet {
  #places = new BigUint64Array(1 << 12);
  #size = 0;

  /** Whether it was not there yet. A full set takes no more, and then says that it was not. */
  add(key: bigint): boolean {
    const at = this.#placeOf(key);
    if (this.#places[at] === key) return false;
    if (this.#size >= MAX_REMEMBERED) return true;
    this.#places[at] = key;
    this.#size += 1;
    if (2 * this.#size > this.#places.length) this.#grow();
    return true;
  }

  #placeOf(key: bigint): number {
    const mask = this.#places.length - 1;
    let at = Number(key & 0xffff_ffffn) & mask;
    while (this.#places[at] !== 0n && this.#places[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const before = this.#places;
    this.#places = new BigUint64Array(2 * before.length);
    for (const key of before) if (key !== 0n) this.#places[this.#placeOf(key)] = key;
  }
}
