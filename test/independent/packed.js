import { bytesFor, packBits, unpackBits } from "./bits.js";
import { concat, u32 } from "./bytes.js";
import { entriesOf, readTopK } from "./codec.js";
import { Refusal } from "./refusal.js";

/** Frames in fewer bytes, on their way to the server: rule C9 of docs/PROTOCOL.md. */

const PLAIN = 15;
const isSame = (one, other) => ["name", "bits", "chunk", "k"].every((key) => one[key] === other[key]);

/** A frame of `length` values packed, or itself where that is no smaller. */
export function packFrame(codec, frame, length) {
  const payload = frame.subarray(16);
  let packed;
  if (codec.name === "topk") packed = packTopK(codec, payload, length);
  else if (codec.name === "dense" && codec.bits === 2) packed = packDense(payload, length);
  else return frame;
  const id = codec.name === "topk" ? 7 : 8;
  const whole = concat(
    frame.subarray(0, 5),
    Uint8Array.of(id),
    frame.subarray(6, 12),
    u32(packed.length),
    packed,
  );
  return whole.length < frame.length ? whole : frame;
}

/** The frame that was packed, where `codec` is asked for; others as they are. Throws a {@link Refusal}. */
export function unpackFrame(codec, frame, length) {
  if (frame.length < 16 || frame[4] !== 1 || (frame[5] !== 7 && frame[5] !== 8)) return frame;
  const view = new DataView(frame.buffer, frame.byteOffset);
  const packed = frame.subarray(16);
  if (view.getUint32(8, true) !== length) throw new Refusal("wrong-shape", "another count");
  if (view.getUint32(12, true) !== packed.length) throw new Refusal("bad-frame", "the payload's length");
  const own = frame[5] === 7 ? readTopK(packed) : { name: "dense", bits: 2 };
  if (!isSame(own, codec)) throw new Refusal("wrong-codec", "another codec");
  const payload = frame[5] === 7 ? unpackTopK(own, packed, length) : unpackDense(packed, length);
  const id = frame[5] === 7 ? 4 : 2;
  return concat(frame.subarray(0, 5), Uint8Array.of(id), frame.subarray(6, 12), u32(payload.length), payload);
}

function packDense(payload, length) {
  const scales = 2 * Math.ceil(length / 64);
  return concat(payload.subarray(0, scales), tritsOf(payload.subarray(scales), length));
}

function unpackDense(packed, length) {
  const scales = 2 * Math.ceil(length / 64);
  if (packed.length !== scales + Math.ceil(length / 5)) throw new Refusal("bad-frame", "another length");
  return concat(packed.subarray(0, scales), codesOf(packed.subarray(scales), length));
}

/** Codes of two bits to digits, and back: 0, 1 and −1 (which is 3 in two's complement). */
function tritsOf(codes, count) {
  const bytes = new Uint8Array(Math.ceil(count / 5));
  unpackBits(codes, count, 2).values.forEach((code, i) => {
    bytes[Math.floor(i / 5)] += [0, 1, undefined, 2][code] * 3 ** (i % 5);
  });
  return bytes;
}

function codesOf(bytes, count) {
  const digits = [...bytes].flatMap((byte) => {
    if (byte > 242) throw new Refusal("bad-frame", "no five digits");
    return [0, 1, 2, 3, 4].map((i) => Math.floor(byte / 3 ** i) % 3);
  });
  if (digits.slice(count).some((digit) => digit !== 0)) throw new Refusal("bad-frame", "more digits");
  return packBits(
    digits.slice(0, count).map((digit) => [0, 1, 3][digit]),
    2,
  );
}

/** The bits of a chunk's places with a parameter, as a list. */
function bitsOf(places, parameter, width) {
  const low = (value, count) => Array.from({ length: count }, (_, i) => (value >> i) & 1);
  if (parameter === PLAIN) return places.flatMap((place) => low(place, width));
  return places.flatMap((place, i) => {
    const gap = i === 0 ? place : place - places[i - 1] - 1;
    return [...Array(gap >> parameter).fill(0), 1, ...low(gap, parameter)];
  });
}

function packTopK(codec, payload, length) {
  const { chunk, k, bits } = codec;
  const width = Math.log2(chunk);
  const entries = entriesOf(codec, length);
  const chunks = Math.ceil(length / chunk);
  const placesAt = 8 + 2 * chunks;
  const codesAt = placesAt + bytesFor(entries, width);
  const places = [...unpackBits(payload.subarray(placesAt, codesAt), entries, width).values];
  const parameters = [];
  const stream = [];
  for (let n = 0; n < chunks; n++) {
    const own = places.slice(n * k, (n + 1) * k);
    const all = [...Array(width).keys()]
      .concat(PLAIN)
      .map((parameter) => [parameter, bitsOf(own, parameter, width)]);
    const [parameter, bits] = all.reduce((best, one) => (one[1].length < best[1].length ? one : best));
    parameters.push(parameter);
    stream.push(...bits);
  }
  const codes = payload.subarray(codesAt);
  return concat(
    payload.subarray(0, placesAt),
    packBits(parameters, 4),
    bits === 2 ? tritsOf(codes, entries) : codes,
    packBits(stream, 1),
  );
}

function unpackTopK(codec, packed, length) {
  const { chunk, k, bits } = codec;
  const width = Math.log2(chunk);
  const entries = entriesOf(codec, length);
  const chunks = Math.ceil(length / chunk);
  const parametersAt = 8 + 2 * chunks;
  const codesAt = parametersAt + bytesFor(chunks, 4);
  const streamAt = codesAt + (bits === 2 ? Math.ceil(entries / 5) : bytesFor(entries, bits));
  if (packed.length < streamAt) throw new Refusal("bad-frame", "another length");
  const parameters = unpackBits(packed.subarray(parametersAt, codesAt), chunks, 4);
  const stream = unpackBits(packed.subarray(streamAt), 8 * (packed.length - streamAt), 1).values;
  let at = 0;
  const take = () => {
    if (at === stream.length) throw new Refusal("bad-frame", "the places end too soon");
    return stream[at++];
  };
  const low = (count) => Array.from({ length: count }, take).reduce((sum, bit, i) => sum | (bit << i), 0);
  const places = [];
  for (let n = 0; n < chunks; n++) {
    const parameter = parameters.values[n];
    if (parameter >= width && parameter !== PLAIN) throw new Refusal("bad-frame", "a parameter");
    const size = Math.min(chunk, length - n * chunk);
    for (let rest = Math.min(k, size), last = -1; rest > 0; rest--) {
      if (parameter === PLAIN) last = low(width);
      else {
        let high = 0;
        while (take() === 0) high++;
        last += 1 + high * 2 ** parameter + low(parameter);
      }
      if (last >= size) throw new Refusal("bad-frame", "a place");
      places.push(last);
    }
  }
  const rest = stream.subarray(at);
  if (rest.length >= 8 || rest.some((bit) => bit === 1) || !parameters.padded)
    throw new Refusal("bad-frame", "padding");
  const codes = packed.subarray(codesAt, streamAt);
  return concat(
    packed.subarray(0, parametersAt),
    packBits(places, width),
    bits === 2 ? codesOf(codes, entries) : codes,
  );
}
