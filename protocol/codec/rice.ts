import { ProtocolError } from "../errors.ts";

/**
 * Places in Rice's code (rule C9): each is written as the number of places between it and the one before, its gap. With
 * parameter p a gap of g is ⌊g ÷ 2ᵖ⌋ zero bits, a one, and the low p bits of g. A chunk's gaps are nearly geometric, for
 * which this is the best there is, to a few hundredths of a bit: 7.5 bits a place at 64 of 4,096 instead of 12.
 */

/** Bits of a parameter. */
export const PARAMETER_BITS = 4;
/** Stands for a parameter where the places are written as they are, since no parameter takes fewer bits. */
export const PLAIN = 15;

/** The parameter, of those below `width`, that takes the fewest bits, and how many; of equal ones the least. */
export function bestParameter(places: ArrayLike<number>, width: number): readonly [number, number] {
  const count = places.length;
  let best: readonly [number, number] = [PLAIN, count * width];
  for (let parameter = width - 1; parameter >= 0; parameter--) {
    let bits = count * (parameter + 1);
    for (let i = 0, last = -1; i < count; last = places[i++]!) bits += (places[i]! - last - 1) >>> parameter;
    if (bits <= best[1]) best = [parameter, bits];
  }
  return best;
}

/** Bits of a place of which two are three bytes: the usual width. */
export const PAIR_BITS = 12;
/** Bits that a u32 has at least from any bit of its first byte on. */
const WINDOW_BITS = 25;
const WINDOW = (1 << WINDOW_BITS) - 1;

/** Writes bits one after another, low bits first. */
export class BitSink {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #bits = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #write(): void {
    for (; this.#bits >= 8; this.#bits -= 8, this.#held >>>= 8) this.#bytes[this.#at++] = this.#held & 0xff;
  }

  /** `value` has `width` bits, 16 at most. */
  put(value: number, width: number): void {
    this.#held |= value << this.#bits;
    this.#bits += width;
    this.#write();
  }

  /** The same of many; values that are put one by one take twice as long. */
  putAll(values: Uint16Array, width: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let held = this.#held;
    let bits = this.#bits;
    for (const value of values) {
      held |= value << bits;
      for (bits += width; bits >= 8; bits -= 8, held >>= 8) bytes[at++] = held & 0xff;
    }
    this.#at = at;
    this.#held = held;
    this.#bits = bits;
  }

  /** An even number of places of 12 bits, as {@link BitSource.takePairs} finds them, where whole bytes are written so far. */
  putPairs(source: BitSource, count: number, parameter: number, size: number): void {
    source.takePairs(this.#bytes, this.#at, count, parameter, size);
    this.#at += (3 * count) >> 1;
  }

  putGap(gap: number, parameter: number): void {
    this.#bits += gap >>> parameter;
    this.#write();
    this.put(1 | ((gap & ((1 << parameter) - 1)) << 1), parameter + 1);
  }

  /** Pads with zeros to a byte. */
  end(): void {
    if (this.#bits > 0) this.#bytes[this.#at] = this.#held;
  }
}

/** Reads what a {@link BitSink} wrote, of a stranger's bytes. */
export class BitSource {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #held = 0;
  #bits = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #fill(): void {
    for (; this.#bits < 24 && this.#at < this.#bytes.length; this.#bits += 8)
      this.#held |= this.#bytes[this.#at++]! << this.#bits;
  }

  #drop(bits: number): void {
    this.#held >>>= bits;
    this.#bits -= bits;
  }

  /** The next `width` bits, 16 at most. Throws `bad-frame` at the end. */
  take(width: number): number {
    this.#fill();
    if (this.#bits < width) throw tooShort();
    const value = this.#held & ((1 << width) - 1);
    this.#drop(width);
    return value;
  }

  /** A gap below `most`. Throws `bad-frame`. */
  takeGap(parameter: number, most: number): number {
    let high = 0;
    while (this.#held === 0) {
      this.#fill();
      if (this.#held !== 0) break;
      high += this.#bits;
      if (this.#bits === 0) throw tooShort();
      if (high << parameter >= most) throw tooFar();
      this.#drop(this.#bits);
    }
    const zeros = 31 - Math.clz32(this.#held & -this.#held);
    this.#drop(zeros + 1);
    high += zeros;
    if (high << parameter >= most) throw tooFar();
    if (this.#bits < parameter) this.#fill();
    if (this.#bits < parameter) throw tooShort();
    const gap = (high << parameter) | (this.#held & ((1 << parameter) - 1));
    this.#drop(parameter);
    if (gap >= most) throw tooFar();
    return gap;
  }

  /** Places below `size`, as many as `into` has, of gaps with one parameter. Throws `bad-frame`. */
  takePlaces(into: Uint16Array, parameter: number, size: number): void {
    const view = this.#view;
    const end = 8 * (this.#bytes.length - 4);
    const low = (1 << parameter) - 1;
    let at = this.#place;
    let last = -1;
    for (let i = 0; i < into.length; i++) {
      // At any bit the next 25 are at hand, without a branch that nobody can foresee.
      const next = at <= end ? (view.getUint32(at >>> 3, true) >>> (at & 7)) & WINDOW : 0;
      const zeros = 31 - Math.clz32(next & (0 - next));
      const taken = zeros + 1 + parameter;
      if (next !== 0 && taken <= WINDOW_BITS) {
        last += 1 + ((zeros << parameter) | ((next >>> (zeros + 1)) & low));
        if (last >= size) throw tooFar();
        at += taken;
      } else {
        this.#goTo(at); // a long gap, or near the end
        last += 1 + this.takeGap(parameter, size - last - 1);
        at = this.#place;
      }
      into[i] = last;
    }
    this.#goTo(at);
  }

  /**
   * The same of an even number of places, laid down from byte `into` of `bytes` on as 12 bits each. Two gaps nearly always lie in
   * one window: so the second waits for no load.
   */
  takePairs(bytes: Uint8Array, into: number, count: number, parameter: number, size: number): void {
    const view = this.#view;
    const end = 8 * (this.#bytes.length - 4);
    const low = (1 << parameter) - 1;
    const rest = parameter + 1;
    let at = this.#place;
    let last = -1;
    for (const to = into + 3 * (count >> 1); into < to; into += 3) {
      const next = at <= end ? (view.getUint32(at >>> 3, true) >>> (at & 7)) & WINDOW : 0;
      const zeros = 31 - Math.clz32(next & -next);
      const behind = next >>> (zeros + 1);
      const second = behind >>> parameter;
      const more = 31 - Math.clz32(second & -second);
      const taken = zeros + more + 2 * rest;
      let one: number;
      if (second !== 0 && taken <= WINDOW_BITS) {
        one = last + 1 + ((zeros << parameter) | (behind & low));
        last = one + 1 + ((more << parameter) | ((second >>> (more + 1)) & low));
        at += taken;
        if (last >= size) throw tooFar();
      } else {
        this.#goTo(at); // a long gap, or near the end
        one = last + 1 + this.takeGap(parameter, size - last - 1);
        last = one + 1 + this.takeGap(parameter, size - one - 1);
        at = this.#place;
      }
      bytes[into] = one;
      bytes[into + 1] = (one >>> 8) | (last << 4);
      bytes[into + 2] = last >>> 4;
    }
    this.#goTo(at);
  }

  /** The next bit's place. */
  get #place(): number {
    return 8 * this.#at - this.#bits;
  }

  #goTo(bit: number): void {
    this.#at = (bit + 7) >>> 3;
    this.#bits = 8 * this.#at - bit;
    this.#held = this.#bits === 0 ? 0 : this.#bytes[this.#at - 1]! >>> (8 - this.#bits);
  }

  /** Behind the last bit: throws `bad-frame` where more than the rest of its byte follows, or that is not zero. */
  requireEnd(): void {
    if (this.#held !== 0 || this.#bits >= 8 || this.#at < this.#bytes.length)
      throw new ProtocolError("bad-frame", "more than padding follows the last place");
  }
}

const tooShort = () => new ProtocolError("bad-frame", "the places end too soon");
const tooFar = () => new ProtocolError("bad-frame", "a place lies beyond its chunk");
