import { ProtocolError } from "../errors.ts";
import type { Codec } from "./codec.ts";
import { requireFinite } from "./f32.ts";

/**
 * Dense 4-bit blocks: each block of 64 values shares one scale, its largest magnitude ÷ 7 rounded up to bf16;
 * a value becomes an integer from −7 to 7. Payload: ⌈n/64⌉ scales (u16, the upper half of the f32), then
 * ⌈n/2⌉ bytes of two's-complement nibbles, low nibble first. 4.25 bits a value. bf16 has 8 significant bits
 * and a code 3, so code × scale is exact in f32 and the same on every machine.
 */
const BLOCK = 64;
const LARGEST_CODE = 7;
/** Scales below 2⁻¹⁰⁰ are written as zero, far above the denormals that some GPUs flush. */
const SMALLEST_SCALE = 2 ** -100;
/** The largest finite bf16. */
const LARGEST_SCALE_BITS = 0x7f7f;

const blocksOf = (length: number): number => Math.ceil(length / BLOCK);
const bytesOfPayload = (length: number): number => 2 * blocksOf(length) + Math.ceil(length / 2);

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The smallest bf16 not below `value` (≥ 0), as its 16 bits; zero for what is too small to matter. */
function scaleBits(value: number): number {
  if (value < SMALLEST_SCALE) return 0;
  float[0] = value;
  return Math.min((bits[0]! + 0xffff) >>> 16, LARGEST_SCALE_BITS);
}

function scaleOf(bits16: number): number {
  bits[0] = bits16 << 16;
  return float[0]!;
}

export const dense4: Codec = {
  name: "dense4",
  id: 1,
  maxPayload: bytesOfPayload,

  encode(values) {
    requireFinite(values);
    const payload = new Uint8Array(bytesOfPayload(values.length));
    const codes = payload.subarray(2 * blocksOf(values.length));
    for (let block = 0; block < blocksOf(values.length); block++) {
      const end = Math.min((block + 1) * BLOCK, values.length);
      let largest = 0;
      for (let i = block * BLOCK; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!));
      const shared = scaleBits(largest / LARGEST_CODE);
      payload[2 * block] = shared & 0xff;
      payload[2 * block + 1] = shared >>> 8;
      if (shared === 0) continue;
      const scale = scaleOf(shared);
      for (let i = block * BLOCK; i < end; i++) {
        const code = Math.max(-LARGEST_CODE, Math.min(LARGEST_CODE, Math.round(values[i]! / scale)));
        codes[i >> 1]! |= (code & 0xf) << ((i & 1) * 4);
      }
    }
    return payload;
  },

  decode(payload, length) {
    if (payload.length !== bytesOfPayload(length)) {
      throw new ProtocolError(
        "wrong-shape",
        `dense4 needs ${bytesOfPayload(length)} bytes, got ${payload.length}`,
      );
    }
    const codes = payload.subarray(2 * blocksOf(length));
    if (length % 2 === 1 && codes[codes.length - 1]! >>> 4 !== 0) {
      throw new ProtocolError("bad-frame", "the padding nibble is not zero");
    }
    const values = new Float32Array(length);
    for (let block = 0; block < blocksOf(length); block++) {
      const shared = payload[2 * block]! | (payload[2 * block + 1]! << 8);
      if (shared > LARGEST_SCALE_BITS) {
        throw new ProtocolError("not-finite", `the scale of block ${block} is negative or not finite`);
      }
      const scale = scaleOf(shared);
      const end = Math.min((block + 1) * BLOCK, length);
      for (let i = block * BLOCK; i < end; i++) {
        // Shifting the nibble to the top and back extends its sign.
        const code = ((codes[i >> 1]! >>> ((i & 1) * 4)) << 28) >> 28;
        if (code < -LARGEST_CODE) throw new ProtocolError("bad-frame", `value ${i} has the code −8`);
        values[i] = Math.fround(code * scale);
      }
      // The largest scale times 7 overflows f32: only a forger writes it.
      if (!Number.isFinite(Math.fround(scale * LARGEST_CODE))) {
        throw new ProtocolError("not-finite", `the scale of block ${block} overflows`);
      }
    }
    return values;
  },
};
