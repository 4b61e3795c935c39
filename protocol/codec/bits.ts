import { unpadded } from "./scale.ts";

/** Bytes of `count` integers of `width` bits. */
export const bytesFor = (count: number, width: number): number => Math.ceil((count * width) / 8);

/** Reads integers of `width` ≤ 12 bits that lie one after another, low bits first. */
export class BitReader {
  readonly #bytes: Uint8Array;
  readonly #width: number;
  readonly #mask: number;
  #at: number;
  #held = 0;
  #bits = 0;

  constructor(bytes: Uint8Array, start: number, width: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#width = width;
    this.#mask = 2 ** width - 1;
  }

  next(): number {
    while (this.#bits < this.#width) {
      this.#held |= this.#bytes[this.#at++]! << this.#bits;
      this.#bits += 8;
    }
    const value = this.#held & this.#mask;
    this.#held >>>= this.#width;
    this.#bits -= this.#width;
    return value;
  }

  /** Behind the last integer: throws `bad-frame` where the rest of its byte is not zero. */
  requirePadding(): void {
    if (this.#held !== 0) throw unpadded();
  }
}

/** Writes what a {@link BitReader} reads, where zeros are. */
export class BitWriter {
  readonly #bytes: Uint8Array;
  readonly #width: number;
  #at: number;
  #bits = 0;

  constructor(bytes: Uint8Array, start: number, width: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#width = width;
  }

  /** `value` has `width` bits at most. */
  put(value: number): void {
    let held = value << this.#bits;
    let bits = this.#bits + this.#width;
    for (; bits >= 8; bits -= 8, held >>>= 8) this.#bytes[this.#at++]! |= held & 0xff;
    if (bits > 0) this.#bytes[this.#at]! |= held;
    this.#bits = bits;
  }
}
