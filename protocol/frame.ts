import type { Codec, CodecName, CodecSpec } from "./codec/codec.ts";
import { dense4 } from "./codec/dense4.ts";
import { f32 } from "./codec/f32.ts";
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

const CODECS: readonly Codec[] = [f32, dense4];

export function codecNamed(name: CodecName): Codec {
  const codec = CODECS.find((candidate) => candidate.name === name);
  if (codec === undefined) throw new ProtocolError("unknown-codec", `no codec is named ${name}`);
  return codec;
}

/** Bytes of the largest frame for a vector of `length` values under any codec: what a body may have. */
export function maxFrameBytes(length: number): number {
  return FRAME_HEADER_BYTES + Math.max(...CODECS.map((codec) => codec.maxPayload(length)));
}

/** Compresses a vector. Throws `not-finite`. */
export function encodeFrame(codec: CodecName, values: Float32Array): Uint8Array<ArrayBuffer> {
  const { id, encode } = codecNamed(codec);
  return behindHeader(id, values.length, encode(values));
}

/** The frame of a payload that a device has made of `length` values. */
export function frameOf(codec: CodecSpec, length: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return behindHeader(codecId(codec), length, payload);
}

/** A codec's number in a frame's header. */
export function codecId(codec: CodecSpec): number {
  if (codec.name === "dense") return { 4: 1, 2: 2, 8: 3 }[codec.bits];
  return codec.name === "f32" ? 0 : 4;
}

function behindHeader(id: number, length: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
  const header = new DataView(frame.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint8(4, FRAME_VERSION);
  header.setUint8(5, id);
  header.setUint32(8, length, true);
  header.setUint32(12, payload.length, true);
  frame.set(payload, FRAME_HEADER_BYTES);
  return frame;
}

/**
 * Reads a frame of exactly `length` values. Checks everything the header says against the bytes at hand
 * before it allocates: `bad-frame`, `future-version`, `unknown-codec`, `wrong-shape`, `not-finite`.
 */
export function decodeFrame(frame: Uint8Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  if (frame.length < FRAME_HEADER_BYTES) throw new ProtocolError("bad-frame", "shorter than its header");
  const header = new DataView(frame.buffer, frame.byteOffset, FRAME_HEADER_BYTES);
  if (header.getUint32(0, true) !== MAGIC) throw new ProtocolError("bad-frame", "not a frame");
  const version = header.getUint8(4);
  if (version > FRAME_VERSION) throw new ProtocolError("future-version", `frame version ${version}`);
  if (version !== FRAME_VERSION) throw new ProtocolError("bad-frame", `frame version ${version}`);
  const codec = CODECS.find((candidate) => candidate.id === header.getUint8(5));
  if (codec === undefined) throw new ProtocolError("unknown-codec", `codec ${header.getUint8(5)}`);
  if (header.getUint16(6, true) !== 0) throw new ProtocolError("bad-frame", "reserved bytes are not zero");
  const values = header.getUint32(8, true);
  if (values !== length || values > MAX_PARAMETERS) {
    throw new ProtocolError("wrong-shape", `${values} values where the model has ${length}`);
  }
  const payload = frame.subarray(FRAME_HEADER_BYTES);
  if (header.getUint32(12, true) !== payload.length) {
    throw new ProtocolError("bad-frame", `${payload.length} bytes of payload, the header says otherwise`);
  }
  return codec.decode(payload, values);
}
