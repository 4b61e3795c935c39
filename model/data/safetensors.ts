import { ModelError } from "../contract/config.ts";
import type { Layout } from "../contract/layout.ts";

/**
 * A model as a safetensors file (huggingface/safetensors, README "Format"): a little-endian u64 length, that
 * many bytes of JSON naming each tensor's type, shape and place, then the values. Ours is deterministic, so
 * that anyone with the flat vector can rebuild the file and its hash: the tensors in the layout's order,
 * which makes the data the flat vector itself, and spaces after the JSON until the data starts at a multiple
 * of 8.
 */

/** Everything before the data. */
export function headerOf(layout: Layout): Uint8Array<ArrayBuffer> {
  const entries: Record<string, unknown> = { __metadata__: { format: "pt" } };
  for (const { name, shape, offset, length } of layout.tensors) {
    entries[name] = { dtype: "F32", shape, data_offsets: [offset * 4, (offset + length) * 4] };
  }
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  header.set(json, 8);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  return header;
}

/**
 * Copies nothing where `flat` lies in a buffer of its own behind just enough room for the header: the file is made
 * around it. Throws `bad-weights` when `flat` has not the layout's length.
 */
export function encodeSafetensors(layout: Layout, flat: Float32Array): Uint8Array<ArrayBuffer> {
  if (flat.length !== layout.length)
    throw new ModelError("bad-weights", `${flat.length} values for a model of ${layout.length}`);
  const header = headerOf(layout);
  const { buffer, byteOffset, byteLength } = flat;
  const size = header.length + byteLength;
  if (buffer instanceof ArrayBuffer && byteOffset === header.length && buffer.byteLength === size) {
    const file = new Uint8Array(buffer);
    file.set(header);
    return file;
  }
  const file = new Uint8Array(size);
  file.set(header);
  file.set(new Uint8Array(flat.buffer, flat.byteOffset, flat.byteLength), header.length);
  return file;
}

/**
 * The flat vector of a file that {@link encodeSafetensors} wrote for this layout: a copy. Since such a file's
 * header is known to the byte, it is compared and not parsed: a stranger's header cannot make us allocate or
 * read out of bounds. Throws `bad-file` on any other length or header.
 */
export const decodeSafetensors = (bytes: Uint8Array, layout: Layout): Float32Array<ArrayBuffer> =>
  new Float32Array(bytes.slice(startOf(bytes, layout)).buffer);

/** The same without a copy, unless the file begins at no multiple of four: it and the vector are one memory. */
export function withinSafetensors(bytes: Uint8Array<ArrayBuffer>, layout: Layout): Float32Array<ArrayBuffer> {
  const file = bytes.byteOffset % 4 ? bytes.slice() : bytes;
  return new Float32Array(file.buffer, file.byteOffset + startOf(file, layout), layout.length);
}

/** Where the values begin. */
function startOf(bytes: Uint8Array, layout: Layout): number {
  const header = headerOf(layout);
  const expected = header.length + layout.length * 4;
  if (bytes.length !== expected)
    throw new ModelError("bad-file", `${bytes.length} bytes where this model's file has ${expected}`);
  const differs = header.findIndex((byte, i) => bytes[i] !== byte);
  if (differs >= 0)
    throw new ModelError("bad-file", `the header is not this model's, from byte ${differs} on`);
  return header.length;
}
