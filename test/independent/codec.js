import { bytesFor, packBits, signed, unpackBits } from "./bits.js";
import { bytesToFloats, concat, floatsToBytes } from "./bytes.js";
import { Refusal } from "./refusal.js";

/** How vectors become payloads: rules C1 to C8 of docs/PROTOCOL.md. */

const BLOCK = 64;
const largestCode = (bits) => 2 ** (bits - 1) - 1;

/** Payload bytes of a vector. Every value is finite. */
export function encodePayload(codec, values) {
  if (codec.name === "f32") return floatsToBytes(values);
  return codec.name === "topk" ? encodeTopK(codec, values) : encodeBlocks(levelsOf(codec), values);
}

/** The vector of `length` values that a payload holds. Throws a {@link Refusal} for one that no encoder wrote. */
export function decodePayload(codec, payload, length) {
  if (payload.length !== payloadBytes(codec, length)) throw new Refusal("wrong-shape", "another size");
  if (codec.name === "dense" || codec.name === "midrise")
    return decodeBlocks(levelsOf(codec), payload, length);
  if (codec.name === "topk") return decodeTopK(codec, payload, length);
  const values = bytesToFloats(payload);
  if (!values.every(Number.isFinite)) throw new Refusal("not-finite", "a value");
  return values;
}

/** Bytes that the payload of `length` values has. */
export function payloadBytes(codec, length) {
  if (codec.name === "f32") return 4 * length;
  if (codec.name === "dense" || codec.name === "midrise")
    return 2 * Math.ceil(length / BLOCK) + bytesFor(length, codec.bits);
  const entries = entriesOf(codec, length);
  const places = bytesFor(entries, Math.log2(codec.chunk));
  return 8 + 2 * Math.ceil(length / codec.chunk) + places + bytesFor(entries, codec.bits);
}

/** What tells the two codecs of blocks apart: how a scale is found, and which code stands for which of its multiples. */
function levelsOf({ name, bits }) {
  const largest = 2 ** bits - 1;
  if (name === "dense")
    return {
      bits,
      largest: largestCode(bits),
      span: largestCode(bits),
      code: (value, scale) => codeOf(value, scale, bits),
      value: (code, scale) => readCode(code, scale, bits) * scale,
    };
  return {
    bits,
    largest,
    span: [undefined, 3, 5, 9][bits],
    code: (value, scale) =>
      scale === 0 ? 0 : Math.max(0, Math.min(largest, 2 ** (bits - 1) + Math.floor(value / (2 * scale)))),
    value(code, scale) {
      if (scale === 0 && code !== 0) throw new Refusal("bad-frame", "a code");
      return scale === 0 ? 0 : (2 * code - largest) * scale;
    },
  };
}

function encodeBlocks({ bits, span, code }, values) {
  const scales = [];
  const codes = new Int16Array(values.length);
  for (let start = 0; start < values.length; start += BLOCK) {
    const block = values.subarray(start, start + BLOCK);
    const scale = scaleOf(block, span);
    scales.push(bf16(scale));
    block.forEach((value, i) => {
      codes[start + i] = code(value, scale);
    });
  }
  return concat(...scales, packBits(codes, bits));
}

function decodeBlocks({ bits, largest, value }, payload, length) {
  const blocks = Math.ceil(length / BLOCK);
  const { values: codes, padded } = unpackBits(payload.subarray(2 * blocks), length, bits);
  if (!padded) throw new Refusal("bad-frame", "padding");
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const scale = readScale(payload, 2 * Math.floor(i / BLOCK), largest);
    values[i] = value(codes[i], scale);
  }
  return values;
}

function encodeTopK({ chunk, k, bits }, values) {
  const [scales, places, codes] = [[], [], []];
  for (let start = 0; start < values.length; start += chunk) {
    const part = values.subarray(start, start + chunk);
    const chosen = Array.from(part.keys())
      .sort((a, b) => Math.abs(part[b]) - Math.abs(part[a]) || a - b)
      .slice(0, k)
      .sort((a, b) => a - b);
    const scale = scaleOf(
      Float32Array.from(chosen, (place) => part[place]),
      largestCode(bits),
    );
    scales.push(bf16(scale));
    for (const place of chosen) {
      places.push(place);
      codes.push(codeOf(part[place], scale, bits));
    }
  }
  const header = Uint8Array.of(chunk & 255, chunk >> 8, k & 255, k >> 8, bits, 0, 0, 0);
  return concat(header, ...scales, packBits(places, Math.log2(chunk)), packBits(codes, bits));
}

function decodeTopK({ chunk, k, bits }, payload, length) {
  const width = Math.log2(chunk);
  const entries = entriesOf({ chunk, k }, length);
  const placesAt = 8 + 2 * Math.ceil(length / chunk);
  const codesAt = placesAt + bytesFor(entries, width);
  const places = unpackBits(payload.subarray(placesAt, codesAt), entries, width);
  const codes = unpackBits(payload.subarray(codesAt), entries, bits);
  if (!places.padded || !codes.padded) throw new Refusal("bad-frame", "padding");
  const values = new Float32Array(length);
  let entry = 0;
  for (let start = 0, number = 0; start < length; start += chunk, number++) {
    const size = Math.min(chunk, length - start);
    const scale = readScale(payload, 8 + 2 * number, largestCode(bits));
    for (let rest = Math.min(k, size), last = -1; rest > 0; rest--, entry++) {
      const place = places.values[entry];
      if (place <= last || place >= size) throw new Refusal("bad-frame", "a place");
      values[start + place] = readCode(codes.values[entry], scale, bits) * scale;
      last = place;
    }
  }
  return values;
}

/** The codec that a top-k payload names. */
export function readTopK(payload) {
  const [chunk, k, bits] = [payload[0] | (payload[1] << 8), payload[2] | (payload[3] << 8), payload[4]];
  const known =
    chunk >= 64 && chunk <= 4_096 && Number.isInteger(Math.log2(chunk)) && [2, 4, 8].includes(bits);
  if (payload.length < 8 || !known || k < 1 || k > chunk || payload[5] | payload[6] | payload[7]) {
    throw new Refusal("bad-frame", "no top-k header");
  }
  return { name: "topk", chunk, k, bits };
}

export const entriesOf = ({ chunk, k }, length) =>
  Math.floor(length / chunk) * k + Math.min(k, length % chunk);

const single = new Float32Array(1);
const word = new Uint32Array(single.buffer);

function fromBf16(high) {
  word[0] = high << 16;
  return single[0];
}

/** The smallest bf16 that times `code` is not below the largest magnitude (rules C2, C8). */
function scaleOf(values, code) {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest < 2 ** -100 * code) return 0;
  single[0] = largest / code;
  let high = Math.max(0, (word[0] >>> 16) - 1); // one below, so that rounding up or down does not matter
  while (high < 0x7f7f && fromBf16(high) * code < largest) high++;
  return fromBf16(high);
}

function bf16(scale) {
  single[0] = scale;
  return Uint8Array.of((word[0] >>> 16) & 255, word[0] >>> 24);
}

const codeOf = (value, scale, bits) =>
  scale === 0
    ? 0
    : Math.max(-largestCode(bits), Math.min(largestCode(bits), Math.floor(value / scale + 0.5)));

function readScale(payload, at, largest) {
  const scale = fromBf16(payload[at] | (payload[at + 1] << 8));
  if (payload[at + 1] > 0x7f || !Number.isFinite(Math.fround(scale * largest))) {
    throw new Refusal("not-finite", "a scale");
  }
  return scale;
}

function readCode(stored, scale, bits) {
  const code = signed(stored, bits);
  if (code < -largestCode(bits) || (scale === 0 && code !== 0)) throw new Refusal("bad-frame", "a code");
  return code;
}
