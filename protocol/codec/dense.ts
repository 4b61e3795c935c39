import { ProtocolError } from "../errors.ts";
import type { CodeBits, Codec } from "./codec.ts";
import {
  checkScale,
  codeOf,
  largestCode,
  readScale,
  requireBytes,
  requireFinite,
  signed,
  writeScale,
} from "./scale.ts";

/**
 * Dense n-bit blocks: each block of 64 values shares one scale, its largest magnitude ÷ the largest code, rounded up
 * to bf16; a value becomes an integer from −(2ⁿ⁻¹−1) to 2ⁿ⁻¹−1. Payload: ⌈values/64⌉ scales, then the codes in two's
 * complement, packed, low bits first. At 4 bits that makes 4.25 a value.
 */
const BLOCK = 64;

export function dense(bits: CodeBits): Codec {
  const most = largestCode(bits);
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const blocksOf = (length: number) => Math.ceil(length / BLOCK);
  const payloadBytes = (length: number) => 2 * blocksOf(length) + Math.ceil(length / perByte);
  /** What each code of a block adds. */
  const products = new Float32Array(2 ** bits);

  return {
    spec: { name: "dense", bits },
    payloadBytes,
    encode(values, left) {
      requireFinite(values);
      const payload = new Uint8Array(payloadBytes(values.length));
      const first = 2 * blocksOf(values.length);
      if (left !== undefined && left !== values) left.set(values);
      for (let block = 0; block < blocksOf(values.length); block++) {
        const end = Math.min((block + 1) * BLOCK, values.length);
        let largest = 0;
        for (let i = block * BLOCK; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!));
        const scale = writeScale(payload, 2 * block, largest, bits);
        if (scale === 0) continue;
        for (let i = block * BLOCK; i < end; i++) {
          const value = values[i]!;
          const code = codeOf(value, scale, bits);
          payload[first + Math.floor(i / perByte)]! |= (code & mask) << ((i % perByte) * bits);
          if (left !== undefined) left[i] = value - code * scale;
        }
      }
      return payload;
    },
    check(payload, length) {
      requireBytes(payload, payloadBytes(length));
      const first = 2 * blocksOf(length);
      let squares = 0;
      for (let block = 0; block < blocksOf(length); block++) {
        const scale = checkScale(payload, 2 * block, bits);
        const end = Math.min((block + 1) * BLOCK, length);
        let sum = 0;
        for (let i = block * BLOCK; i < end; i++) {
          const byte = payload[first + Math.floor(i / perByte)]!;
          const code = signed(byte >>> ((i % perByte) * bits), bits);
          if (code < -most) throw new ProtocolError("bad-frame", `value ${i} has the code ${code}`);
          sum += code * code;
        }
        if (scale === 0 && sum > 0)
          throw new ProtocolError("bad-frame", `block ${block} has codes and no scale`);
        squares += sum * scale * scale;
      }
      const used = (length % perByte) * bits;
      if (used > 0 && payload[payload.length - 1]! >>> used !== 0) {
        throw new ProtocolError("bad-frame", "the padding is not zero");
      }
      return squares;
    },
    add(payload, sum, share) {
      const { length } = sum;
      const blocks = blocksOf(length);
      let at = 2 * blocks;
      for (let block = 0; block < blocks; block++) {
        const scale = readScale(payload, 2 * block);
        const start = block * BLOCK;
        const end = Math.min(start + BLOCK, length);
        if (scale === 0) {
          at += Math.ceil((end - start) / perByte);
          continue;
        }
        for (let code = -most; code <= most; code++)
          products[code & mask] = share * Math.fround(code * scale);
        for (let i = start; i < end; at++) {
          let byte = payload[at]!;
          for (const stop = Math.min(i + perByte, end); i < stop; i++, byte >>>= bits) {
            sum[i] = sum[i]! + products[byte & mask]!;
          }
        }
      }
    },
  };
}
