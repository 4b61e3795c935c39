import { crc32 } from "node:zlib";
import { bytesOf } from "../../protocol/bytes.ts";
import { sharedVector, type Vectors } from "../merge/vectors.ts";
import { StoreError } from "../store/store.ts";

/**
 * What a snapshot's sibling `<hash>.state` holds, little-endian: u32 magic "MSTA" | u32 values | θ as f32 |
 * momentum as f32 | u32 CRC-32 of all before. θ itself and not θ − x, whose rounding could not be undone.
 */
const MAGIC = 0x4154_534d;

/** In pieces that look into the vectors: nothing of them is copied. */
export function encodeVectors({ theta, momentum }: Vectors): readonly Uint8Array[] {
  const body = [u32s(MAGIC, theta.length), bytesOf(theta), bytesOf(momentum)];
  return [...body, u32s(body.reduce((check, part) => crc32(part, check), 0))];
}

/** Reads θ and momentum beside a snapshot's x. Throws a StoreError on any other bytes. */
export function decodeVectors(bytes: Uint8Array<ArrayBuffer>, x: Float32Array<ArrayBuffer>): Vectors {
  const size = 4 * x.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sound =
    bytes.length === 8 + 2 * size + 4 &&
    view.getUint32(0, true) === MAGIC &&
    view.getUint32(4, true) === x.length &&
    view.getUint32(8 + 2 * size, true) === crc32(bytes.subarray(0, 8 + 2 * size));
  if (!sound) throw new StoreError("a snapshot's state file is damaged or of another model");
  const vector = (from: number) => {
    const values = sharedVector(x.length); // where the next version is merged, without a copy for its threads
    bytesOf(values).set(bytes.subarray(from, from + size));
    return values;
  };
  return { x, theta: vector(8), momentum: vector(8 + size) };
}

function u32s(...values: number[]): Uint8Array<ArrayBuffer> {
  return bytesOf(Uint32Array.from(values));
}
