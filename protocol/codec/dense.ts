import type { CodeBits, Codec } from "./codec.ts";
import {
  BLOCK,
  checkScale,
  codeOf,
  forbidden,
  largestCode,
  largestOf,
  readScale,
  requireBytes,
  requireFinite,
  signed,
  unpadded,
  unscaled,
  writeScale,
} from "./scale.ts";

/**
 * Dense n-bit blocks: each block of 64 values shares one scale, its largest magnitude ÷ the largest code, rounded up
 * to bf16; a value becomes an integer from −(2ⁿ⁻¹−1) to 2ⁿ⁻¹−1. Payload: ⌈values/64⌉ scales, then the codes in two's
 * complement, packed, low bits first. At 4 bits that makes 4.25 a value.
 */
export function dense(bits: CodeBits): Codec {
  const most = largestCode(bits);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const blocksOf = (length: number) => Math.ceil(length / BLOCK);
  const payloadBytes = (length: number) => 2 * blocksOf(length) + Math.ceil(length / perByte);
  const squares = squaresOf(bits);
  const add = bits === 8 ? addBytes : bits === 4 ? addNibbles : addQuarters;

  return {
    spec: { name: "dense", bits },
    payloadBytes,
    encode(values, left) {
      requireFinite(values);
      const { length } = values;
      const payload = new Uint8Array(payloadBytes(length));
      if (left !== undefined && left !== values) left.set(values);
      let at = 2 * blocksOf(length);
      for (let start = 0, scaleAt = 0; start < length; start += BLOCK, scaleAt += 2) {
        const end = Math.min(start + BLOCK, length);
        const scale = writeScale(payload, scaleAt, largestOf(values, start, end), most);
        if (scale === 0) {
          at += Math.ceil((end - start) / perByte);
          continue;
        }
        for (let i = start; i < end; at++) {
          let byte = 0;
          for (let shift = 0; shift < 8 && i < end; shift += bits, i++) {
            const value = values[i]!;
            const code = codeOf(value, scale, most);
            byte |= (code & mask) << shift;
            if (left !== undefined) left[i] = value - code * scale;
          }
          payload[at] = byte;
        }
      }
      return payload;
    },
    check(payload, length) {
      requireBytes(payload, payloadBytes(length));
      let at = 2 * blocksOf(length);
      let total = 0;
      for (let start = 0, scaleAt = 0; start < length; start += BLOCK, scaleAt += 2) {
        const scale = checkScale(payload, scaleAt, most);
        let sum = 0;
        for (const end = Math.min(at + BLOCK / perByte, payload.length); at < end; at++)
          sum += squares[payload[at]!]!;
        if (sum >= FORBIDDEN) throw forbidden(start, most);
        if (scale === 0 && sum > 0) throw unscaled(start);
        total += sum * scale * scale;
      }
      const used = (length % perByte) * bits;
      if (used > 0 && payload[payload.length - 1]! >>> used !== 0) {
        throw unpadded();
      }
      return total;
    },
    add: (payload, sum, share, from = 0, to = sum.length) =>
      add(payload, 2 * blocksOf(sum.length) + from / perByte, sum, share, from, to),
  };
}

/** Sum of the squares of a block's codes that no block reaches. */
const FORBIDDEN = BLOCK * 128 * 128;

/** For each byte the sum of its codes' squares; {@link FORBIDDEN} where one of them is no encoder's. */
function squaresOf(bits: CodeBits): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let sum = 0;
    for (let shift = 0; shift < 8; shift += bits) {
      const code = signed(byte >>> shift, bits);
      sum += code < -largestCode(bits) ? FORBIDDEN : code * code;
    }
    return sum;
  });
}

type Adder = (
  payload: Uint8Array,
  at: number,
  sum: Float32Array,
  share: number,
  from: number,
  to: number,
) => void;

/** Each code's value, computed once a block. */
const products = new Float32Array(16);

function workOut(scale: number, share: number, most: number): void {
  for (let code = 1; code <= most; code++) {
    const product = share * Math.fround(code * scale);
    products[code] = product;
    products[2 * most + 2 - code] = -product;
  }
}

/** Four codes of 2 bits a byte. */
const addQuarters: Adder = (payload, at, sum, share, from, to) => {
  for (let start = from, scaleAt = (2 * from) / BLOCK; start < to; start += BLOCK, scaleAt += 2) {
    workOut(readScale(payload, scaleAt), share, 1);
    const end = Math.min(start + BLOCK, to);
    for (let i = start; i < end; at++) {
      for (let byte = payload[at]!, shift = 0; shift < 8 && i < end; shift += 2, i++) {
        sum[i] = sum[i]! + products[(byte >>> shift) & 3]!;
      }
    }
  }
};

/** Two codes of 4 bits a byte; eight values a turn, or a tenth of the time goes into turns. */
const addNibbles: Adder = (payload, at, sum, share, from, to) => {
  for (let start = from, scaleAt = (2 * from) / BLOCK; start < to; start += BLOCK, scaleAt += 2) {
    workOut(readScale(payload, scaleAt), share, 7);
    const end = Math.min(start + BLOCK, to);
    const eights = start + ((end - start) & ~7);
    for (let i = start; i < eights; i += 8, at += 4) {
      const a = payload[at]!;
      const b = payload[at + 1]!;
      const c = payload[at + 2]!;
      const d = payload[at + 3]!;
      sum[i] = sum[i]! + products[a & 15]!;
      sum[i + 1] = sum[i + 1]! + products[a >>> 4]!;
      sum[i + 2] = sum[i + 2]! + products[b & 15]!;
      sum[i + 3] = sum[i + 3]! + products[b >>> 4]!;
      sum[i + 4] = sum[i + 4]! + products[c & 15]!;
      sum[i + 5] = sum[i + 5]! + products[c >>> 4]!;
      sum[i + 6] = sum[i + 6]! + products[d & 15]!;
      sum[i + 7] = sum[i + 7]! + products[d >>> 4]!;
    }
    // What is left is the vector's end; eights begin at even values.
    for (let i = eights; i < end; at += i++ & 1)
      sum[i] = sum[i]! + products[(payload[at]! >>> (4 * (i & 1))) & 15]!;
  }
};

const addBytes: Adder = (payload, at, sum, share, from, to) => {
  for (let start = from, scaleAt = (2 * from) / BLOCK; start < to; start += BLOCK, scaleAt += 2) {
    const scale = readScale(payload, scaleAt);
    const end = Math.min(start + BLOCK, to);
    for (let i = start; i < end; i++, at++) {
      const value = Math.fround(((payload[at]! << 24) >> 24) * scale);
      sum[i] = sum[i]! + Math.fround(share * value);
    }
  }
};
