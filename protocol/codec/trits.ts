import { ProtocolError } from "../errors.ts";

/**
 * Codes of two bits, of which there are three, five to a byte (rule C9): code 0 is the digit 0, 1 is 1 and −1 is 2; a byte is
 * Σ digit × 3ⁱ. 1.6 bits a code instead of 2.
 */
const IN_A_BYTE = 5;
const CODE_BITS = 2;
/** 3⁵. */
const BYTES = 243;

export const tritBytes = (codes: number): number => Math.ceil(codes / IN_A_BYTE);

/** The ten bits of five codes in two's complement that a byte of digits is. */
const CODES = Uint16Array.from({ length: BYTES }, (_, byte) => {
  let codes = 0;
  for (let i = 0, rest = byte; i < IN_A_BYTE; i++, rest = Math.floor(rest / 3)) {
    const digit = rest % 3;
    codes |= (digit + (digit >> 1)) << (CODE_BITS * i);
  }
  return codes;
});

/** Packs `count` codes that lie in two's complement from the first byte on, low bits first. No code is −2. */
export function packTrits(codes: Uint8Array, count: number, into: Uint8Array): void {
  for (let start = 0, at = 0; start < count; start += IN_A_BYTE, at++) {
    let byte = 0;
    for (let i = Math.min(start + IN_A_BYTE, count) - 1; i >= start; i--) {
      const code = (codes[i >> 2]! >>> (CODE_BITS * (i & 3))) & 3;
      byte = 3 * byte + code - (code >> 1);
    }
    into[at] = byte;
  }
}

/** Lays the codes of a stranger's digits down as they were, where zeros are. Throws `bad-frame`. */
export function unpackTrits(digits: Uint8Array, count: number, into: Uint8Array): void {
  let [held, bits, at] = [0, 0, 0];
  for (const digit of digits) {
    const codes = CODES[digit];
    if (codes === undefined) throw new ProtocolError("bad-frame", `${digit} is no five digits of three`);
    held |= codes << bits;
    for (bits += CODE_BITS * IN_A_BYTE; bits >= 8 && at < into.length; bits -= 8, held >>>= 8)
      into[at++] = held & 0xff;
  }
  if (bits > 0 && at < into.length) {
    into[at] = held & 0xff;
    held >>>= 8;
  }
  const used = CODE_BITS * (count & 3);
  if (held !== 0 || (used > 0 && into.at(-1)! >>> used !== 0))
    throw new ProtocolError("bad-frame", "digits behind the last code");
}
