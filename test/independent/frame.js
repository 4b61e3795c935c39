import { concat, u32 } from "./bytes.js";
import { decodePayload, encodePayload, readTopK } from "./codec.js";
import { Refusal } from "./refusal.js";

/** Frames: rules F1 and F2 of docs/PROTOCOL.md. */

const MAGIC = [0x4d, 0x55, 0x52, 0x4d];
/** The codecs of blocks by their number. */
const BLOCKS = {
  1: { name: "dense", bits: 4 },
  2: { name: "dense", bits: 2 },
  3: { name: "dense", bits: 8 },
  5: { name: "midrise", bits: 2 },
  6: { name: "midrise", bits: 3 },
  9: { name: "midrise", bits: 1 },
};

export function encodeFrame(codec, values) {
  const payload = encodePayload(codec, values);
  const id = { f32: 0, topk: 4 }[codec.name] ?? blocksId(codec);
  const head = Uint8Array.of(...MAGIC, 1, id, 0, 0);
  return concat(head, u32(values.length), u32(payload.length), payload);
}

/** The vector of exactly `length` values that a frame holds. Throws a {@link Refusal} in the order of rule F2. */
export function decodeFrame(frame, length) {
  if (frame.length < 16 || !MAGIC.every((byte, i) => frame[i] === byte))
    throw new Refusal("bad-frame", "magic");
  if (frame[4] > 1) throw new Refusal("unknown-frame", "a later version");
  if (frame[4] !== 1) throw new Refusal("bad-frame", "version 0");
  const payload = frame.subarray(16);
  const codec = codecOf(frame[5], payload);
  if (frame[6] !== 0 || frame[7] !== 0) throw new Refusal("bad-frame", "bytes that are zero");
  const view = new DataView(frame.buffer, frame.byteOffset);
  if (view.getUint32(8, true) !== length) throw new Refusal("wrong-shape", "another count");
  if (view.getUint32(12, true) !== payload.length) throw new Refusal("bad-frame", "the payload's length");
  return decodePayload(codec, payload, length);
}

function codecOf(id, payload) {
  if (id === 0) return { name: "f32" };
  if (id === 4) return readTopK(payload);
  if (!(id in BLOCKS)) throw new Refusal("unknown-codec", `codec ${id}`);
  return BLOCKS[id];
}

const blocksId = ({ name, bits }) =>
  Number(Object.keys(BLOCKS).find((id) => BLOCKS[id].name === name && BLOCKS[id].bits === bits));
