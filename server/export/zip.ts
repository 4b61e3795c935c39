import { crc32 } from "node:zlib";
import type { ModelFile } from "../../model/export/hugging-face.ts";
import { concat, utf8 } from "../../protocol/bytes.ts";

/** Version of the ZIP format that a reader needs. */
const VERSION = 20;
/** Names are UTF-8. */
const FLAGS = 0x0800;
/** Date of every entry, 1980-01-01, the earliest that ZIP has: the same files give the same archive. */
const DATE = 0x0021;

/** Files as one archive (PKWARE's APPNOTE), stored and not compressed: weights hardly shrink. */
export function zip(files: readonly ModelFile[]): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const index: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const { name, bytes } of files) {
    const label = utf8(name);
    const shared = [
      u16(VERSION, FLAGS, 0, 0, DATE),
      u32(crc32(bytes), bytes.length, bytes.length),
      u16(label.length, 0),
    ];
    const local = concat(u32(0x04034b50), ...shared, label);
    parts.push(local, bytes);
    index.push(concat(u32(0x02014b50), u16(VERSION), ...shared, u16(0, 0, 0), u32(0, offset), label));
    offset += local.length + bytes.length;
  }
  const directory = concat(...index);
  const counts = u16(0, 0, files.length, files.length);
  return concat(...parts, directory, u32(0x06054b50), counts, u32(directory.length, offset), u16(0));
}

function u16(...values: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint16(2 * i, value, true);
  });
  return bytes;
}

function u32(...values: number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  return bytes;
}
