import { BitReader, BitWriter, bytesFor } from "./bits.ts";
import type { Codec, MidriseBits } from "./codec.ts";
import {
  BLOCK,
  checkScale,
  largestOf,
  readScale,
  requireBytes,
  requireFinite,
  unscaled,
  writeScale,
} from "./scale.ts";

/** Scales in a block's largest magnitude, by the bits of a code. */
const SPAN: Readonly<Record<MidriseBits, number>> = { 1: 3, 2: 5, 3: 9 };

/**
 * Blocks of 64 values in few bits, none of which means zero (rule C8): code c of n bits is the level 2c − (2ⁿ − 1), an odd
 * number, times the block's scale. Without a level at zero all 2ⁿ codes are of use: of normal values 2 bits lose an eighth
 * of the energy, where `dense`, with three levels up to the largest value, loses half; 1 bit, the sign, loses two fifths. The
 * scale is the smallest bf16 that, times 3 in 1 bit, 5 in 2 and 9 in 3, is not below the block's largest magnitude: about the
 * best for 64 normal values, though the largest is cut. Payload: ⌈values/64⌉ scales, then the codes, packed, low bits first.
 * 1.25, 2.25 or 3.25 bits a value.
 */
export function midrise(bits: MidriseBits): Codec {
  const most = (1 << bits) - 1;
  const middle = 1 << (bits - 1);
  const blocksOf = (length: number) => Math.ceil(length / BLOCK);
  const payloadBytes = (length: number) => 2 * blocksOf(length) + bytesFor(length, bits);
  const products = new Float32Array(most + 1);
  const levelOf = (code: number) => 2 * code - most;

  return {
    spec: { name: "midrise", bits },
    payloadBytes,
    encode(values, left) {
      requireFinite(values);
      const { length } = values;
      const payload = new Uint8Array(payloadBytes(length));
      const codes = new BitWriter(payload, 2 * blocksOf(length), bits);
      for (let start = 0, scaleAt = 0; start < length; start += BLOCK, scaleAt += 2) {
        const end = Math.min(start + BLOCK, length);
        const scale = writeScale(payload, scaleAt, largestOf(values, start, end), SPAN[bits]);
        for (let i = start; i < end; i++) {
          const value = values[i]!;
          const code =
            scale === 0 ? 0 : Math.max(0, Math.min(most, middle + Math.floor(value / (2 * scale))));
          codes.put(code);
          if (left !== undefined) left[i] = value - levelOf(code) * scale;
        }
      }
      return payload;
    },
    check(payload, length) {
      requireBytes(payload, payloadBytes(length));
      const codes = new BitReader(payload, 2 * blocksOf(length), bits);
      let total = 0;
      for (let start = 0, scaleAt = 0; start < length; start += BLOCK, scaleAt += 2) {
        const scale = checkScale(payload, scaleAt, most);
        let squares = 0;
        let used = 0;
        for (let i = Math.min(BLOCK, length - start); i > 0; i--) {
          const code = codes.next();
          used |= code;
          squares += levelOf(code) * levelOf(code);
        }
        if (scale === 0 && used !== 0) throw unscaled(start);
        total += squares * scale * scale;
      }
      codes.requirePadding();
      return total;
    },
    add(payload, sum, share, from = 0, to = sum.length) {
      let at = 2 * blocksOf(sum.length) + (from * bits) / 8;
      for (let start = from, scaleAt = (2 * from) / BLOCK; start < to; start += BLOCK, scaleAt += 2) {
        const scale = readScale(payload, scaleAt);
        for (let code = 0; code <= most; code++) {
          products[code] = scale === 0 ? 0 : share * Math.fround(levelOf(code) * scale);
        }
        const end = Math.min(start + BLOCK, to);
        // Eight codes are whole bytes.
        for (let i = start; i < end; at += bits) {
          let held = payload[at]! | (payload[at + 1]! << 8);
          if (bits === 3) held |= payload[at + 2]! << 16;
          for (const last = Math.min(i + 8, end); i < last; i++, held >>>= bits) {
            sum[i] = sum[i]! + products[held & most]!;
          }
        }
      }
    },
  };
}
