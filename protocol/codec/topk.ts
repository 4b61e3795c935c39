import { ProtocolError } from "../errors.ts";
import { BitReader, BitWriter, bytesFor } from "./bits.ts";
import { type Codec, type CodecSpec, isChunk, isCodeBits } from "./codec.ts";
import { addPairs, CODE_BITS, checkPairs, misplaced, PLACE_BITS } from "./pairs.ts";
import {
  checkScale,
  codeOf,
  forbidden,
  largestCode,
  readScale,
  requireBytes,
  requireFinite,
  signed,
  unscaled,
  writeScale,
} from "./scale.ts";

/** Bits of a place within its chunk, which is a power of two. */
export const placeBits = (chunk: number): number => 31 - Math.clz32(chunk);

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

export const HEADER_BYTES = 8;

/** Values that are sent of `length`. */
export const entriesOf = ({ chunk, k }: TopK, length: number): number =>
  Math.floor(length / chunk) * k + Math.min(k, length % chunk);

export function topK(spec: TopK): Codec {
  const { chunk, k, bits } = spec;
  const most = largestCode(bits);
  const mask = 2 ** bits - 1;
  const width = placeBits(chunk);
  const chunksOf = (length: number) => Math.ceil(length / chunk);
  const payloadBytes = (length: number) => {
    const entries = entriesOf(spec, length);
    return HEADER_BYTES + 2 * chunksOf(length) + bytesFor(entries, width) + bytesFor(entries, bits);
  };
  /** Where the places begin, and the codes. */
  const placesAt = (length: number) => HEADER_BYTES + 2 * chunksOf(length);
  const codesAt = (length: number) => placesAt(length) + bytesFor(entriesOf(spec, length), width);
  const inPairs = width === PLACE_BITS && bits === CODE_BITS && k % 2 === 0;
  /** The sections from value `from` on, where that is at whole bytes: at the first, or behind whole pairs. */
  const sectionsFrom = (length: number, from: number) => {
    const before = (from / chunk) * k;
    return {
      scales: HEADER_BYTES + 2 * (from / chunk),
      places: placesAt(length) + (before * width) / 8,
      codes: codesAt(length) + (before * bits) / 8,
    };
  };

  return {
    spec,
    payloadBytes,
    encode(values, left) {
      requireFinite(values);
      const { length } = values;
      const payload = new Uint8Array(payloadBytes(length));
      const header = new DataView(payload.buffer);
      header.setUint16(0, chunk, true);
      header.setUint16(2, k, true);
      header.setUint8(4, bits);
      const places = new BitWriter(payload, placesAt(length), width);
      const codes = new BitWriter(payload, codesAt(length), bits);
      const select = selector(chunk);
      if (left !== undefined && left !== values) left.set(values);
      for (let start = 0, scaleAt = HEADER_BYTES; start < length; start += chunk, scaleAt += 2) {
        const part = values.subarray(start, start + chunk);
        const chosen = select(part, k);
        let largest = 0;
        for (const place of chosen) largest = Math.max(largest, Math.abs(part[place]!));
        const scale = writeScale(payload, scaleAt, largest, most);
        for (const place of chosen) {
          const value = part[place]!;
          const code = scale === 0 ? 0 : codeOf(value, scale, most);
          places.put(place);
          codes.put(code & mask);
          if (left !== undefined) left[start + place] = value - code * scale;
        }
      }
      return payload;
    },
    check(payload, length) {
      requireBytes(payload, payloadBytes(length));
      const paired = inPairs ? length - (length % chunk) : 0;
      let squares = checkPairs(payload, sectionsFrom(length, 0), chunk, k, { from: 0, to: paired });
      const at = sectionsFrom(length, paired);
      const places = new BitReader(payload, at.places, width);
      const codes = new BitReader(payload, at.codes, bits);
      for (let start = paired, scaleAt = at.scales; start < length; start += chunk, scaleAt += 2) {
        const scale = checkScale(payload, scaleAt, most);
        const size = Math.min(chunk, length - start);
        let sum = 0;
        let last = -1;
        for (let rest = Math.min(k, size); rest > 0; rest--) {
          const place = places.next();
          if (place <= last || place >= size) throw misplaced(start);
          last = place;
          const code = signed(codes.next(), bits);
          if (code < -most) throw forbidden(start, most);
          sum += code * code;
        }
        if (scale === 0 && sum > 0) throw unscaled(start);
        squares += sum * scale * scale;
      }
      places.requirePadding();
      codes.requirePadding();
      return squares;
    },
    add(payload, sum, share, from = 0, to = sum.length) {
      const { length } = sum;
      const paired = inPairs ? to - (to % chunk) : from;
      addPairs(payload, sectionsFrom(length, from), chunk, k, sum, share, { from, to: paired });
      const at = sectionsFrom(length, paired);
      const places = new BitReader(payload, at.places, width);
      const codes = new BitReader(payload, at.codes, bits);
      let scaleAt = at.scales;
      for (let start = paired; start < to; start += chunk, scaleAt += 2) {
        const scale = readScale(payload, scaleAt);
        for (let rest = Math.min(k, length - start); rest > 0; rest--) {
          const i = start + places.next();
          const value = Math.fround(signed(codes.next(), bits) * scale);
          sum[i] = sum[i]! + Math.fround(share * value);
        }
      }
    },
  };
}

/** The codec a payload says it was written with. Throws `bad-frame`. */
export function readTopK(payload: Uint8Array): TopK {
  if (payload.length < HEADER_BYTES) throw new ProtocolError("bad-frame", "shorter than top-k's header");
  const header = new DataView(payload.buffer, payload.byteOffset);
  const [chunk, k, bits] = [header.getUint16(0, true), header.getUint16(2, true), header.getUint8(4)];
  const rest = header.getUint8(5) | header.getUint16(6, true);
  if (!isChunk(chunk) || k < 1 || k > chunk || !isCodeBits(bits) || rest !== 0) {
    throw new ProtocolError("bad-frame", "no top-k has such a header");
  }
  return { name: "topk", chunk, k, bits };
}

/**
 * Finds the places of the `k` largest magnitudes of up to `chunk` values, ascending; of equal ones the first. A
 * magnitude's bits are in the order of its size, so the k-th largest is found byte by byte, from counts.
 */
function selector(chunk: number): (part: Float32Array, k: number) => Uint16Array {
  const floats = new Float32Array(chunk);
  const words = new Uint32Array(floats.buffer);
  const counts = new Uint32Array(256);
  const places = new Uint16Array(chunk);
  return (part, k) => {
    const { length } = part;
    const wanted = Math.min(k, length);
    floats.set(part);
    let [threshold, known, equal] = [0, 0, wanted];
    for (let shift = 24; shift >= 0; shift -= 8) {
      counts.fill(0);
      for (let i = 0; i < length; i++) {
        const size = words[i]! & 0x7fff_ffff;
        if ((size & known) === threshold) counts[(size >>> shift) & 0xff]!++;
      }
      let byte = 255;
      for (; counts[byte]! < equal; byte--) equal -= counts[byte]!;
      threshold |= byte << shift;
      known |= 0xff << shift;
    }
    let found = 0;
    for (let i = 0; i < length; i++) {
      const size = words[i]! & 0x7fff_ffff;
      if (size > threshold || (size === threshold && equal-- > 0)) places[found++] = i;
    }
    return places.subarray(0, wanted);
  };
}
