import { type Codec, type CodecSpec, STRETCH, sameCodec } from "./codec/codec.ts";
import { dense } from "./codec/dense.ts";
import { f32 } from "./codec/f32.ts";
import { midrise } from "./codec/midrise.ts";
import { unpadded } from "./codec/scale.ts";
import { readTopK, topK } from "./codec/topk.ts";
import { ProtocolError } from "./errors.ts";
import { MAX_PARAMETERS } from "./limits.ts";

/**
 * A frame: one compressed vector behind a versioned header (rules F1 to F4). Deltas go up and diffs come down
 * in the same frames.
 *
 *   0  4  magic "MURM"
 *   4  1  frame version, 1
 *   5  1  codec id
 *   6  2  zero
 *   8  4  values in the vector, u32
 *  12  4  bytes of payload, u32
 *  16  …  payload
 */
const MAGIC = 0x4d52_554d; // "MURM" as little-endian u32
const FRAME_VERSION = 1;
export const FRAME_HEADER_BYTES = 16;

/** The codecs of blocks by number; 0 is f32, 4 top-k, 7 and 8 are packed (packed-frame.ts). Numbers are never reused. */
const BLOCKS = {
  1: dense(4),
  2: dense(2),
  3: dense(8),
  5: midrise(2),
  6: midrise(3),
  9: midrise(1),
} as const;
const TOPK_ID = 4;

/** Writes and reads the payloads of one codec. */
export function codecOf(spec: CodecSpec): Codec {
  if (spec.name === "topk") return topK(spec);
  return spec.name === "f32" ? f32 : BLOCKS[blocksId(spec)];
}

const DENSE_ID = { 2: 2, 4: 1, 8: 3 } as const;
const MIDRISE_ID = { 1: 9, 2: 5, 3: 6 } as const;
const blocksId = (spec: Extract<CodecSpec, { name: "dense" | "midrise" }>) =>
  spec.name === "dense" ? DENSE_ID[spec.bits] : MIDRISE_ID[spec.bits];

/** A codec's number in a frame's header. */
function codecId(spec: CodecSpec): number {
  if (spec.name === "topk") return TOPK_ID;
  return spec.name === "f32" ? 0 : blocksId(spec);
}

function codecWith(id: number, payload: Uint8Array): Codec {
  if (id === 0) return f32;
  if (id in BLOCKS) return BLOCKS[id as keyof typeof BLOCKS];
  if (id === TOPK_ID) return topK(readTopK(payload));
  throw new ProtocolError("unknown-codec", `codec ${id}`);
}

/** Bytes of a frame for a vector of `length` values under a codec: always as many. */
export const frameBytes = (spec: CodecSpec, length: number): number =>
  FRAME_HEADER_BYTES + codecOf(spec).payloadBytes(length);

/** Bytes of a frame for a vector of `length` values, at most: f32 is the largest codec, plus headers. */
export const maxFrameBytes = (length: number): number => 2 * FRAME_HEADER_BYTES + 4 * length;

/** Compresses a vector; what is left out is written to `left`, which may be `values`. Throws `not-finite`. */
export function encodeFrame(
  spec: CodecSpec,
  values: Float32Array,
  left?: Float32Array,
): Uint8Array<ArrayBuffer> {
  return frameOf(spec, values.length, codecOf(spec).encode(values, left));
}

/** The frame of a payload of `length` values. */
export function frameOf(spec: CodecSpec, length: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const header = new DataView(frame.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint8(4, FRAME_VERSION);
  header.setUint8(5, codecId(spec));
  header.setUint32(8, length, true);
  header.setUint32(12, payload.length, true);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/** The codec that a frame names. Throws what {@link checkFrame} throws of the header. */
export const codecIn = (frame: Uint8Array<ArrayBuffer>, length: number): CodecSpec =>
  open(frame, length).codec.spec;

interface Opened {
  readonly codec: Codec;
  readonly payload: Uint8Array;
}

/** Holds a frame's header against the bytes at hand and the vector's length. Allocates nothing for its values. */
function open(frame: Uint8Array, length: number): Opened {
  if (frame.length < FRAME_HEADER_BYTES) throw new ProtocolError("bad-frame", "shorter than its header");
  const header = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES);
  if (header.getUint32(0, true) !== MAGIC) throw new ProtocolError("bad-frame", "not a frame");
  const version = header.getUint8(4);
  if (version !== FRAME_VERSION) {
    throw new ProtocolError(
      version > FRAME_VERSION ? "unknown-frame" : "bad-frame",
      `frame version ${version}`,
    );
  }
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  const codec = codecWith(header.getUint8(5), payload);
  if (header.getUint16(6, true) !== 0) throw unpadded();
  const values = header.getUint32(8, true);
  if (values !== length || values > MAX_PARAMETERS) {
    throw new ProtocolError("wrong-shape", `${values} values where the model has ${length}`);
  }
  if (header.getUint32(12, true) !== payload.length) {
    throw new ProtocolError("bad-frame", "the payload has another length");
  }
  return { codec, payload };
}

/**
 * Holds a frame of exactly `length` values against everything an encoder promises, allocating nothing for them, and
 * returns the values' L2 norm. Throws `bad-frame`, `unknown-frame`, `unknown-codec`, `wrong-codec` where the run asks
 * for another, `wrong-shape`, `not-finite`.
 */
export function checkFrame(frame: Uint8Array<ArrayBuffer>, length: number, wanted?: CodecSpec): number {
  const { codec, payload } = open(frame, length);
  if (wanted !== undefined && !sameCodec(codec.spec, wanted)) {
    throw new ProtocolError("wrong-codec", `this run takes ${JSON.stringify(wanted)}`);
  }
  return Math.sqrt(codec.check(payload, length));
}

/**
 * sum[i] ← sum[i] + share × value, product and sum each rounded to f32: a checked frame of `sum.length` values.
 * Throws what {@link checkFrame} throws of the header.
 */
export function addFrame(frame: Uint8Array, sum: Float32Array, share: number): void {
  addStretches(frame, sum, share, [0], sum.length);
}

/** {@link addFrame} for some parts of the vector only: from each of `starts`, multiples of STRETCH, this many values. */
export function addStretches(
  frame: Uint8Array,
  sum: Float32Array,
  share: number,
  starts: readonly number[],
  size: number,
): void {
  const { codec, payload } = open(frame, sum.length);
  for (const from of starts) {
    codec.add(payload, sum, Math.fround(share), from, Math.min(from + size, sum.length));
  }
}

/**
 * Adds many checked frames of `sum.length` values, one after another, to the same bytes as {@link addFrame} gives: each
 * value is added to in the frames' order, but stretch by stretch, so that a sparse delta of a large vector does not wait
 * for memory at each of its values (five times faster at 10M). Only the values from `begin`, a multiple of STRETCH, to `end`.
 */
export function addFrames(
  frames: readonly { readonly frame: Uint8Array; readonly share: number }[],
  sum: Float32Array,
  begin = 0,
  end = sum.length,
): void {
  const opened = frames.map(({ frame, share }) => ({
    ...open(frame, sum.length),
    share: Math.fround(share),
  }));
  for (let from = begin; from < end; from += STRETCH) {
    const to = Math.min(from + STRETCH, end);
    for (const { codec, payload, share } of opened) codec.add(payload, sum, share, from, to);
  }
}

/** Reads a frame of exactly `length` values into a new vector; −0 becomes 0. Throws what {@link checkFrame} throws. */
export function decodeFrame(frame: Uint8Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  const { codec, payload } = open(frame, length);
  codec.check(payload, length);
  const values = new Float32Array(length);
  codec.add(payload, values, 1);
  return values;
}
