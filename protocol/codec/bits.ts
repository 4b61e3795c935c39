import { ProtocolError } from "../errors.ts";

/** Integers of `width` ≤ 12 bits one after another in a stretch of bytes, low bits first, padded with zeros. */
export class BitStream {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #width: number;
  readonly #mask: number;
  readonly #start: number;
  readonly #end: number;

  /** The stretch begins at `start` and holds `count` integers. */
  constructor(bytes: Uint8Array<ArrayBuffer>, start: number, count: number, width: number) {
    this.#bytes = bytes;
    this.#width = width;
    this.#mask = 2 ** width - 1;
    this.#start = start;
    this.#end = start + bytesFor(count, width);
  }

  /** Where the next stretch begins. */
  get end(): number {
    return this.#end;
  }

  /** An integer is in at most three bytes: those beyond the stretch do not count. */
  get(i: number): number {
    const bit = i * this.#width;
    const at = this.#start + (bit >> 3);
    const bytes = this.#bytes;
    const three = bytes[at]! | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    return (three >>> (bit & 7)) & this.#mask;
  }

  /** Writes once, where zeros are. */
  set(i: number, value: number): void {
    const bit = i * this.#width;
    const at = this.#start + (bit >> 3);
    const three = value << (bit & 7);
    this.#bytes[at]! |= three & 0xff;
    if (three > 0xff) this.#bytes[at + 1]! |= (three >>> 8) & 0xff;
    if (three > 0xffff) this.#bytes[at + 2]! |= three >>> 16;
  }

  /** Throws `bad-frame` where the bits behind the last of `count` integers are not zero. */
  requirePadding(count: number): void {
    const used = (count * this.#width) & 7;
    if (used > 0 && this.#bytes[this.#end - 1]! >>> used !== 0) {
      throw new ProtocolError("bad-frame", "the padding is not zero");
    }
  }
}

/** Bytes of `count` integers of `width` bits. */
export const bytesFor = (count: number, width: number): number => Math.ceil((count * width) / 8);
