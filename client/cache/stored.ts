import { type FileHandle, open } from "node:fs/promises";
import { Deserializer, deserialize, Serializer } from "node:v8";
import { bytesOf } from "../../protocol/bytes.ts";

/**
 * A value in a file whose vectors are written from where they are and read to where they stay. V8's serializer alone would copy them, and
 * a model's moments are as large as two models.
 *
 * The file: {@link MAGIC}, how long the head is, the head, and the vectors' bytes one after another. The head is what V8 makes of the
 * value, with the kind and length of each vector in its place. Files of earlier releases are V8's alone, which begin with 0xff.
 */
const MAGIC = 0x4d_55_52_31;
/** Bytes of the magic and the head's length, big-endian. */
const PREFIX = 8;
/** Bytes that are read or written at once. */
const PIECE = 2 ** 26;

const KINDS = [
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
] as const;

class HeadWriter extends Serializer {
  /** Node has it, its types do not. */
  declare readonly _setTreatArrayBufferViewsAsHostObjects: (flag: boolean) => void;
  readonly vectors: Uint8Array[] = [];

  constructor() {
    super();
    this._setTreatArrayBufferViewsAsHostObjects(true);
  }

  /** V8 calls it for each vector. */
  _writeHostObject(vector: ArrayBufferView): void {
    const tag = Object.prototype.toString.call(vector); // of a Buffer, Uint8Array
    const kind = KINDS.findIndex(({ name }) => tag === `[object ${name}]`);
    if (kind < 0) throw new TypeError("a value of a kind that is not kept");
    this.writeUint32(kind);
    this.writeUint64(Math.floor(vector.byteLength / 2 ** 32), vector.byteLength >>> 0);
    this.vectors.push(bytesOf(vector));
  }
}

class HeadReader extends Deserializer {
  readonly vectors: Uint8Array[] = [];
  /** Bytes that the file has for vectors yet. */
  #left: number;

  constructor(head: Uint8Array, left: number) {
    super(head);
    this.#left = left;
  }

  /** V8 calls it for each vector, which is filled later. Throws a RangeError where the file is too short for it. */
  _readHostObject(): ArrayBufferView {
    const kind = KINDS[this.readUint32()];
    const [high, low] = this.readUint64();
    const length = high * 2 ** 32 + low;
    this.#left -= length;
    if (!kind || this.#left < 0) throw new RangeError("a damaged file");
    const vector = new kind(length / kind.BYTES_PER_ELEMENT);
    this.vectors.push(bytesOf(vector));
    return vector;
  }

  get isWhole(): boolean {
    return this.#left === 0;
  }
}

export async function writeStored(file: FileHandle, value: unknown): Promise<void> {
  const writer = new HeadWriter();
  writer.writeHeader();
  writer.writeValue(value);
  const head = writer.releaseBuffer();
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUint32BE(MAGIC);
  prefix.writeUint32BE(head.length, 4);
  for (const bytes of [prefix, head, ...writer.vectors]) {
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await file.write(bytes, at, Math.min(PIECE, bytes.length - at));
      at += bytesWritten;
    }
  }
}

/** Rejects where there is no such file, or where it is damaged. */
export async function readStored(path: string): Promise<unknown> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const prefix = Buffer.alloc(Math.min(size, PREFIX));
    await fill(file, prefix, 0);
    if (size < PREFIX || prefix.readUint32BE() !== MAGIC) return deserialize(await file.readFile());
    const length = prefix.readUint32BE(4);
    if (length > size - PREFIX) throw new RangeError("a damaged file");
    const head = Buffer.alloc(length);
    await fill(file, head, PREFIX);
    const reader = new HeadReader(head, size - PREFIX - length);
    reader.readHeader();
    const value: unknown = reader.readValue();
    if (!reader.isWhole) throw new RangeError("a damaged file");
    let at = PREFIX + length;
    for (const bytes of reader.vectors) {
      await fill(file, bytes, at);
      at += bytes.length;
    }
    return value;
  } finally {
    await file.close();
  }
}

/** Reads this many bytes from there on. */
async function fill(file: FileHandle, bytes: Uint8Array, from: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, bytes.length - at), from + at);
    if (bytesRead === 0) throw new RangeError("a damaged file");
    at += bytesRead;
  }
}
