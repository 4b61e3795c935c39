/** Which chunks of an object somebody has: a bit each, the first the lowest. */
export class Bits {
  readonly count: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  #set = 0;

  constructor(count: number) {
    this.count = count;
    this.bytes = new Uint8Array(Math.ceil(count / 8));
  }

  static full(count: number): Bits {
    const bits = new Bits(count);
    for (let i = 0; i < count; i++) bits.add(i);
    return bits;
  }

  /** Undefined where the bytes are too many, too few, or say something of chunks there are not. */
  static from(bytes: Uint8Array, count: number): Bits | undefined {
    const bits = new Bits(count);
    if (bytes.length !== bits.bytes.length) return undefined;
    for (let i = 0; i < 8 * bytes.length; i++) {
      if (((bytes[i >> 3]! >> (i & 7)) & 1) === 0) continue;
      if (i >= count) return undefined;
      bits.add(i);
    }
    return bits;
  }

  /** How many chunks it has. */
  get size(): number {
    return this.#set;
  }

  get whole(): boolean {
    return this.#set === this.count;
  }

  has(chunk: number): boolean {
    return chunk < this.count && ((this.bytes[chunk >> 3]! >> (chunk & 7)) & 1) === 1;
  }

  add(chunk: number): void {
    if (chunk >= this.count || this.has(chunk)) return;
    this.bytes[chunk >> 3]! |= 1 << (chunk & 7);
    this.#set++;
  }
}
