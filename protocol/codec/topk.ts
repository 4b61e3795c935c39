import { ProtocolError } from "../errors.ts";
import { BitStream, bytesFor } from "./bits.ts";
import { type Codec, type CodecSpec, isChunk, isCodeBits } from "./codec.ts";
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
 * The `k` largest magnitudes of each chunk of the flat vector (SparseLoCo, 2508.15706), quantised by the chunk's
 * scale; of equal magnitudes the first. No global sort, and chunks do not depend on each other, so every device
 * finds the same bytes. Payload:
 *
 *   0  2  values in a chunk, a power of two     2  2  k     4  1  bits of a code     5  3  zero
 *   8  …  a bf16 scale a chunk
 *      …  the places within their chunk, ascending, log2(chunk) bits each
 *      …  the codes, in the places' order
 *
 * The last chunk may be shorter and then holds min(k, its length) entries. The two streams are packed low bits
 * first and padded to bytes. An entry whose code is 0 is listed all the same.
 */
export type TopK = Extract<CodecSpec, { name: "topk" }>;

const HEADER_BYTES = 8;

export function topK(spec: TopK): Codec {
  const { chunk, k, bits } = spec;
  const most = largestCode(bits);
  const mask = 2 ** bits - 1;
  const width = Math.round(Math.log2(chunk));
  const chunksOf = (length: number) => Math.ceil(length / chunk);
  const entriesOf = (length: number) => Math.floor(length / chunk) * k + Math.min(k, length % chunk);
  const payloadBytes = (length: number) => {
    const entries = entriesOf(length);
    return HEADER_BYTES + 2 * chunksOf(length) + bytesFor(entries, width) + bytesFor(entries, bits);
  };
  const streams = (payload: Uint8Array<ArrayBuffer>, length: number) => {
    const entries = entriesOf(length);
    const places = new BitStream(payload, HEADER_BYTES + 2 * chunksOf(length), entries, width);
    return { entries, places, codes: new BitStream(payload, places.end, entries, bits) };
  };

  return {
    spec,
    payloadBytes,
    encode(values, left) {
      requireFinite(values);
      const payload = new Uint8Array(payloadBytes(values.length));
      const header = new DataView(payload.buffer);
      header.setUint16(0, chunk, true);
      header.setUint16(2, k, true);
      header.setUint8(4, bits);
      const { places, codes } = streams(payload, values.length);
      if (left !== undefined && left !== values) left.set(values);
      let entry = 0;
      for (let c = 0; c < chunksOf(values.length); c++) {
        const part = values.subarray(c * chunk, (c + 1) * chunk);
        const chosen = largestOf(part, k);
        const largest = chosen.reduce((size, at) => Math.max(size, Math.abs(part[at]!)), 0);
        const scale = writeScale(payload, HEADER_BYTES + 2 * c, largest, bits);
        for (const at of chosen) {
          const value = part[at]!;
          const code = scale === 0 ? 0 : codeOf(value, scale, bits);
          places.set(entry, at);
          codes.set(entry, code & mask);
          entry++;
          if (left !== undefined) left[c * chunk + at] = value - code * scale;
        }
      }
      return payload;
    },
    check(payload, length) {
      requireBytes(payload, payloadBytes(length));
      const { entries, places, codes } = streams(payload, length);
      let squares = 0;
      let entry = 0;
      for (let c = 0; c < chunksOf(length); c++) {
        const scale = checkScale(payload, HEADER_BYTES + 2 * c, bits);
        const size = Math.min(chunk, length - c * chunk);
        let sum = 0;
        let last = -1;
        for (const end = entry + Math.min(k, size); entry < end; entry++) {
          const place = places.get(entry);
          if (place <= last || place >= size) {
            throw new ProtocolError(
              "bad-frame",
              `chunk ${c} names place ${place} twice, out of order, or beyond it`,
            );
          }
          last = place;
          const code = signed(codes.get(entry), bits);
          if (code < -most) throw new ProtocolError("bad-frame", `entry ${entry} has the code ${code}`);
          sum += code * code;
        }
        if (scale === 0 && sum > 0) throw new ProtocolError("bad-frame", `chunk ${c} has codes and no scale`);
        squares += sum * scale * scale;
      }
      places.requirePadding(entries);
      codes.requirePadding(entries);
      return squares;
    },
    add(payload, sum, share) {
      const { length } = sum;
      const { places, codes } = streams(payload, length);
      let entry = 0;
      for (let c = 0; c < chunksOf(length); c++) {
        const scale = readScale(payload, HEADER_BYTES + 2 * c);
        const start = c * chunk;
        for (const end = entry + Math.min(k, length - start); entry < end; entry++) {
          const i = start + places.get(entry);
          const value = Math.fround(signed(codes.get(entry), bits) * scale);
          sum[i] = sum[i]! + Math.fround(share * value);
        }
      }
    },
  };
}

/** The codec a payload says it was written with. Throws `bad-frame`. */
export function readTopK(payload: Uint8Array<ArrayBuffer>): TopK {
  if (payload.length < HEADER_BYTES) throw new ProtocolError("bad-frame", "shorter than top-k's header");
  const header = new DataView(payload.buffer, payload.byteOffset);
  const [chunk, k, bits] = [header.getUint16(0, true), header.getUint16(2, true), header.getUint8(4)];
  const rest = header.getUint8(5) | header.getUint16(6, true);
  if (!isChunk(chunk) || k < 1 || k > chunk || !isCodeBits(bits) || rest !== 0) {
    throw new ProtocolError("bad-frame", `no top-k has chunks of ${chunk}, k ${k} and ${bits} bits`);
  }
  return { name: "topk", chunk, k, bits };
}

/** The places of the `k` largest magnitudes, ascending; of equal ones the first. */
function largestOf(part: Float32Array, k: number): number[] {
  if (k >= part.length) return [...part.keys()];
  const sizes = part.map(Math.abs);
  const threshold = sizes.slice().sort()[part.length - k]!;
  let equal = k;
  for (const size of sizes) if (size > threshold) equal--;
  const chosen: number[] = [];
  sizes.forEach((size, at) => {
    if (size > threshold || (size === threshold && equal-- > 0)) chosen.push(at);
  });
  return chosen;
}
