import { Random } from "../../model/lib/random.ts";
import { bytesOf, concat, toHex } from "../../protocol/bytes.ts";
import { type CodecSpec, DENSE4 } from "../../protocol/codec/codec.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { checkFrame, decodeFrame, encodeFrame } from "../../protocol/frame.ts";
import { packFrame, unpackFrame } from "../../protocol/packed-frame.ts";

export const frameVectors = () => ({
  encoded: CODECS.flatMap(encoded),
  refused: refused(),
  packed: PACKED.map(packedOf),
  packedRefused: packedRefused(),
});

const CODECS: readonly CodecSpec[] = [
  { name: "f32" },
  DENSE4,
  { name: "dense", bits: 2 },
  { name: "dense", bits: 8 },
  { name: "midrise", bits: 1 },
  { name: "midrise", bits: 2 },
  { name: "midrise", bits: 3 },
  { name: "topk", chunk: 64, k: 8, bits: 4 },
  { name: "topk", chunk: 128, k: 25, bits: 2 },
];

/** Values of several sizes, with equal magnitudes and a block of zeros. */
export function sample(length: number): Float32Array<ArrayBuffer> {
  const random = new Random(99);
  return Float32Array.from({ length }, (_, i) => {
    const value = (random.unit() - 0.5) * 2 ** -(i % 7);
    return i >= 64 && i < 128 ? 0 : i % 10 === 0 ? 0.25 : value;
  });
}

/** 150 values leave last blocks and chunks short: one of `topk` has fewer values than k. */
const encoded = (codec: CodecSpec) =>
  [sample(150), sample(5).map((value) => value * 2 ** -110)].map((values) => {
    const frame = encodeFrame(codec, values);
    return {
      codec,
      values: hexOf(values),
      frame: toHex(frame),
      decoded: hexOf(decodeFrame(frame, values.length)),
    };
  });

/**
 * Codecs whose frames may be packed, and the values of each: last chunks and blocks are short, one chunk's places take the fewest
 * bits as they are, and one frame has no fewer bytes packed.
 */
const PACKED: readonly (readonly [CodecSpec, Float32Array<ArrayBuffer>])[] = [
  [{ name: "dense", bits: 2 }, sample(150)],
  [{ name: "topk", chunk: 64, k: 8, bits: 4 }, sample(150)],
  [{ name: "topk", chunk: 128, k: 25, bits: 2 }, sample(300)],
  [{ name: "topk", chunk: 64, k: 2, bits: 2 }, Float32Array.from({ length: 512 }, atEnds)],
  [{ name: "topk", chunk: 64, k: 64, bits: 8 }, sample(70)],
  [{ name: "topk", chunk: 64, k: 1, bits: 8 }, sample(150)],
];

/** Large in the first two places of each chunk, but of the fourth in the last two. */
function atEnds(_: unknown, i: number): number {
  const place = i >> 6 === 3 ? 63 - (i & 63) : i & 63;
  return place < 2 ? place - 0.5 : 2 ** -9;
}

function packedOf([codec, values]: (typeof PACKED)[number]) {
  const count = values.length;
  const frame = encodeFrame(codec, values);
  return { codec, count, frame: toHex(frame), packed: toHex(packFrame(frame, count, codec)) };
}

/** Packed frames that a server refuses where a codec is asked for, each with its code. */
function packedRefused() {
  const [dense, sparse]: CodecSpec[] = [
    { name: "dense", bits: 2 },
    { name: "topk", chunk: 64, k: 8, bits: 4 },
  ];
  const pack = (codec: CodecSpec) => packFrame(encodeFrame(codec, sample(150)), 150, codec);
  const [trits, rice] = [pack(dense!), pack(sparse!)];
  // Of top-k: a header of 16 bytes and one of 8, 3 scales, 2 bytes of parameters, 12 of codes, then the places.
  const changes: readonly (readonly [string, CodecSpec, Uint8Array, number, readonly number[]])[] = [
    ["another count", dense!, trits, 8, [151]],
    ["another length of payload", dense!, trits, 12, [0]],
    ["another codec than is asked for", dense!, rice, 0, []],
    ["another k than is asked for", sparse!, rice, 18, [9]],
    ["bytes that are zero", sparse!, rice, 6, [1]],
    ["another magic", sparse!, rice, 0, [0]],
    ["a byte that is no five digits", dense!, trits, 22, [243]],
    ["a parameter that is as large as places", sparse!, rice, 30, [0x66]],
    ["a parameter of a chunk that there is not", sparse!, rice, 31, [rice[31]! | 0x10]],
    ["a place beyond its chunk", sparse!, rice, 44, [0, 0, 0, 0]],
    ["more behind the last place", sparse!, rice, rice.length - 1, [0xff]],
    ["a scale that is infinite", sparse!, rice, 24, [0x80, 0x7f]],
  ];
  return changes.map(([what, codec, from, at, bytes]) => {
    const packed = concat(from.subarray(0, at), Uint8Array.from(bytes), from.subarray(at + bytes.length));
    const code = codeOf(() => checkFrame(unpackFrame(packed, 150, codec), 150, codec));
    return { what, codec, count: 150, packed: toHex(packed), code };
  });
}

export const hexOf = (values: Float32Array<ArrayBuffer>) => toHex(bytesOf(values));

/** Frames of 70 values that a reader refuses, each with its code. */
function refused() {
  const dense = encodeFrame(DENSE4, sample(70));
  const odd = encodeFrame(DENSE4, sample(69));
  const few = encodeFrame({ name: "midrise", bits: 3 }, sample(70));
  const sparse = encodeFrame({ name: "topk", chunk: 64, k: 8, bits: 4 }, sample(70));
  const changes: readonly (readonly [string, Uint8Array, number, readonly number[]])[] = [
    ["another magic", dense, 0, [0]],
    ["version 0", dense, 4, [0]],
    ["a later version", dense, 4, [2]],
    ["a codec nobody knows", dense, 5, [99]],
    ["a packed codec, where none is sent", dense, 5, [7]],
    ["bytes that are zero", dense, 6, [1]],
    ["another count", dense, 8, [71]],
    ["another length of payload", dense, 12, [0]],
    ["a negative scale", dense, 17, [0xbf]],
    ["a scale of −0", dense, 17, [0x80]],
    ["a scale that is infinite", dense, 16, [0x80, 0x7f]],
    ["a scale that overflows", dense, 16, [0x7f, 0x7f]],
    ["the code −8", dense, 20, [0x88]],
    ["codes behind a scale of zero", dense, 16, [0, 0]],
    ["padding that is not zero", odd, odd.length - 1, [odd.at(-1)! | 0x10]],
    ["a mid-rise scale that overflows", few, 16, [0x7f, 0x7f]],
    ["mid-rise codes behind a scale of zero", few, 16, [0, 0]],
    ["mid-rise padding that is not zero", few, few.length - 1, [few.at(-1)! | 0x80]],
    ["top-k of a chunk that is no power of two", sparse, 16, [65]],
    ["top-k of none", sparse, 18, [0]],
    ["a place that comes twice", sparse, 28, [sparse[28]! & 0x3f, sparse[29]! & 0xf0]],
  ];
  return changes.map(([what, from, at, bytes]) => {
    const frame = concat(from.subarray(0, at), Uint8Array.from(bytes), from.subarray(at + bytes.length));
    const count = from === odd ? 69 : 70;
    return { what, count, frame: toHex(frame), code: codeOf(() => decodeFrame(frame, count)) };
  });
}

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  throw new Error("a frame that should be refused was not");
}
