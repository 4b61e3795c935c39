import { ModelError } from "../contract/config.ts";

/**
 * A GGUF file (ggml-org/ggml, docs/gguf.md, version 3), little-endian: the magic, counts, metadata by key, a
 * table of tensors, and their values, each at a multiple of 32 bytes. What it holds of a GPT-2 is in
 * gpt2-gguf.ts.
 */
export type GgufValue =
  | { readonly type: "u32"; readonly value: number }
  | { readonly type: "i32[]"; readonly value: readonly number[] }
  | { readonly type: "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "string[]"; readonly value: readonly string[] };

export interface GgufTensor {
  readonly name: string;
  /** Fastest-moving side first, as ggml counts them: a row-major [rows, columns] matrix is [columns, rows]. */
  readonly sides: readonly number[];
  readonly type: "f32" | "f16";
  /** Row-major. */
  readonly values: Float32Array;
}

const MAGIC = "GGUF";
const VERSION = 3;
const ALIGNMENT = 32;
/** The format's numbers for value and tensor types. */
const TYPE = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const TENSOR_TYPE = { f32: 0, f16: 1 } as const;
const BYTES = { f32: 4, f16: 2 } as const;

/** The whole file. Throws `bad-weights` when a tensor's sides do not multiply to its values. */
export function encodeGguf(
  metadata: ReadonlyMap<string, GgufValue>,
  tensors: readonly GgufTensor[],
): Uint8Array<ArrayBuffer> {
  const head = new Writer();
  head.bytes(new TextEncoder().encode(MAGIC));
  head.u32(VERSION);
  head.u64(tensors.length);
  head.u64(metadata.size);
  for (const [key, value] of metadata) writeValue(head, key, value);
  let offset = 0;
  for (const { name, sides, type, values } of tensors) {
    if (sides.reduce((product, side) => product * side, 1) !== values.length) {
      throw new ModelError("bad-weights", `${name} has ${values.length} values, not ${sides.join(" × ")}`);
    }
    head.string(name);
    head.u32(sides.length);
    for (const side of sides) head.u64(side);
    head.u32(TENSOR_TYPE[type]);
    head.u64(offset);
    offset += aligned(values.length * BYTES[type]);
  }
  const start = aligned(head.length);
  const file = new Uint8Array(start + offset);
  file.set(head.written());
  let at = start;
  for (const { type, values } of tensors) {
    if (type === "f32") file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    else new Float16Array(file.buffer, at, values.length).set(values);
    at += aligned(values.length * BYTES[type]);
  }
  return file;
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

function writeValue(to: Writer, key: string, value: GgufValue): void {
  to.string(key);
  switch (value.type) {
    case "u32":
      to.u32(TYPE.u32);
      to.u32(value.value);
      break;
    case "f32":
      to.u32(TYPE.f32);
      to.f32(value.value);
      break;
    case "bool":
      to.u32(TYPE.bool);
      to.bytes(Uint8Array.of(value.value ? 1 : 0));
      break;
    case "string":
      to.u32(TYPE.string);
      to.string(value.value);
      break;
    case "i32[]":
      to.u32(TYPE.array);
      to.u32(TYPE.i32);
      to.u64(value.value.length);
      for (const one of value.value) to.u32(one >>> 0); // two's complement
      break;
    case "string[]":
      to.u32(TYPE.array);
      to.u32(TYPE.string);
      to.u64(value.value.length);
      for (const one of value.value) to.string(one);
  }
}

/** Bytes that grow by doubling. */
class Writer {
  #buffer = new Uint8Array(4_096);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  written(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length); // first, since it may make a new buffer
    this.#buffer.set(bytes, at);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    new DataView(this.#buffer.buffer).setUint32(at, value, true);
  }

  u64(value: number): void {
    const at = this.#grow(8);
    new DataView(this.#buffer.buffer).setBigUint64(at, BigInt(value), true);
  }

  f32(value: number): void {
    const at = this.#grow(4);
    new DataView(this.#buffer.buffer).setFloat32(at, value, true);
  }

  /** A u64 length and UTF-8. */
  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  /** Makes room; returns where it begins. */
  #grow(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#buffer.length));
      grown.set(this.#buffer);
      this.#buffer = grown;
    }
    return at;
  }
}
