import { crc32, deflateRaw, inflateRawSync } from "node:zlib";
import { concat, lengthOf, type Pieces, partsOf, u32Bytes } from "../../protocol/bytes.ts";
import { StoreError } from "./store.ts";

/**
 * One file of the journal. All little-endian.
 *
 *   header  u32 magic "MJNL" | u16 format 2 | u16 flags (1: stripped) | u64 first record's sequence number
 *           | u32 check of the segment before | u32 salt | u32 end | u32 check of these 28 bytes
 *   block   u32 magic "MBLK" | u32 bytes of payload | u32 check of the block before (the header's, for the
 *           first) | u32 check of salt and these 12 bytes | u32 check | payload: records, each u32 length | bytes
 *
 * A block is what one fsync made durable, so a crash can only tear the last one: a sound block after a bad
 * one means damage, and the journal is refused. A check is zlib's CRC-32 over salt, length, previous check
 * and payload; the salt is drawn for each segment, so that bytes in a stranger's frame cannot pose as a block.
 * The header's own check keeps the search for blocks after a torn one linear, whatever a stranger wrote there.
 * A stripped segment was rewritten without the frames that nothing needs any more, in few blocks, each payload
 * a u32 length and that many bytes of records, deflated; `end` is then the check that the original ended with,
 * which the next segment's header names.
 */
const SEGMENT_MAGIC = 0x4c4e_4a4d;
const BLOCK_MAGIC = 0x4b4c_424d;
const FORMAT = 2;
const STRIPPED = 1;
export const HEADER_BYTES = 32;
const BLOCK_HEADER_BYTES = 20;
/** Bytes of records in a block of a stripped segment: enough to deflate well, and few enough to read one record. */
const PACKED_BYTES = 256 * 1024;

export interface SegmentHeader {
  readonly first: number;
  readonly previous: number;
  readonly salt: number;
  /** The original's last check, where this segment was stripped. */
  readonly end?: number;
}

export interface Block {
  readonly offset: number;
  readonly bytes: number;
  /** The block's own check. */
  readonly check: number;
  /** How many records it holds. */
  readonly records: number;
}

export interface Segment {
  readonly header: SegmentHeader;
  /** The header's check, which the first block names. */
  readonly check: number;
  readonly blocks: readonly Block[];
  /** Bytes up to the end of the last sound block. */
  readonly sound: number;
}

export function encodeHeader(header: SegmentHeader): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint16(4, FORMAT, true);
  view.setUint16(6, header.end === undefined ? 0 : STRIPPED, true);
  view.setBigUint64(8, BigInt(header.first), true);
  view.setUint32(16, header.previous, true);
  view.setUint32(20, header.salt, true);
  view.setUint32(24, header.end ?? 0, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/** The check at a header's end, which the first block names. */
export const headerCheck = (header: Uint8Array<ArrayBuffer>): number =>
  new DataView(header.buffer, header.byteOffset).getUint32(28, true);

/**
 * `bytes` are a part of `buffer` where they fit in. A writer that passes the same one for every block allocates nothing:
 * a busy journal's blocks were half of what the garbage collector had to do.
 */
export function encodeBlock(
  salt: number,
  previous: number,
  records: readonly Pieces[],
  buffer?: Uint8Array<ArrayBuffer>,
): { bytes: Uint8Array<ArrayBuffer>; check: number } {
  const size = records.reduce((sum, record) => sum + 4 + lengthOf(record), BLOCK_HEADER_BYTES);
  const bytes =
    buffer !== undefined && buffer.length >= size ? buffer.subarray(0, size) : new Uint8Array(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = BLOCK_HEADER_BYTES;
  for (const record of records) {
    view.setUint32(at, lengthOf(record), true);
    at += 4;
    for (const part of partsOf(record)) {
      bytes.set(part, at);
      at += part.length;
    }
  }
  return seal(salt, previous, bytes);
}

/** A stripped segment, whole: its header, which must name an `end`, and its records in deflated blocks. */
export async function packSegment(
  header: SegmentHeader,
  records: readonly Uint8Array[],
): Promise<{ bytes: Uint8Array<ArrayBuffer>; check: number }> {
  const parts = [encodeHeader(header)];
  const check = headerCheck(parts[0]!);
  let last = check;
  for (const group of groupsOf(records, PACKED_BYTES)) {
    const block = await packBlock(header.salt, last, group);
    parts.push(block.bytes);
    last = block.check;
  }
  return { bytes: concat(...parts), check };
}

/** Cuts a list of records into runs of about this many bytes. */
function groupsOf(records: readonly Uint8Array[], size: number): Uint8Array[][] {
  const groups: Uint8Array[][] = [];
  let bytes = size;
  for (const record of records) {
    if (bytes >= size) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(record);
    bytes += record.length;
  }
  return groups;
}

async function packBlock(
  salt: number,
  previous: number,
  records: readonly Uint8Array[],
): Promise<{ bytes: Uint8Array<ArrayBuffer>; check: number }> {
  const whole = concat(...lengthed(records));
  const packed = await new Promise<Uint8Array>((resolve, reject) => {
    deflateRaw(whole, (error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  });
  return seal(salt, previous, concat(new Uint8Array(BLOCK_HEADER_BYTES), u32Bytes(whole.length), packed));
}

const lengthed = (records: readonly Uint8Array[]) =>
  records.flatMap((record) => [u32Bytes(record.length), record]);

/** Fills in a block's header. */
function seal(salt: number, previous: number, bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(0, BLOCK_MAGIC, true);
  view.setUint32(4, bytes.length - BLOCK_HEADER_BYTES, true);
  view.setUint32(8, previous, true);
  view.setUint32(12, headerCheckOf(salt, bytes), true);
  const check = checkOf(salt, bytes);
  view.setUint32(16, check, true);
  return { bytes, check };
}

/** The records of one sound block. Throws a StoreError for a payload of another form, even if its checksum is right. */
export function recordsOf<B extends ArrayBufferLike>(
  block: Uint8Array<B>,
  packed: boolean,
): Uint8Array<B | ArrayBuffer>[] {
  const payload = block.subarray(BLOCK_HEADER_BYTES);
  const bytes = packed ? inflated(payload) : payload;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const records: Uint8Array<B | ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new StoreError("a journal block does not end where its records do");
    records.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return records;
}

function inflated(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(0, true);
  try {
    const whole = inflateRawSync(payload.subarray(4), { maxOutputLength: Math.max(1, length) });
    if (whole.length === length) return new Uint8Array(whole);
  } catch {
    // thrown below, with what it means
  }
  throw new StoreError("a stripped journal block does not unpack");
}

/** A sound block's own check. */
export const checkIn = (block: Uint8Array): number =>
  new DataView(block.buffer, block.byteOffset, BLOCK_HEADER_BYTES).getUint32(16, true);

/** Whether the bytes are exactly one block with the right check. */
export function isSound(salt: number, block: Uint8Array): boolean {
  return blockAt(salt, block, 0)?.bytes === block.length;
}

/**
 * Reads a segment up to its last sound block. Throws a StoreError when the header is bad, or when a sound
 * block follows a bad one. Bytes after `sound` are what a crash tore.
 */
export function scan(bytes: Uint8Array<ArrayBuffer>, name: string): Segment {
  const header = decodeHeader(bytes, name);
  const check = headerCheck(bytes);
  const blocks: Block[] = [];
  let sound = HEADER_BYTES;
  let last = check;
  for (;;) {
    const block = blockAt(header.salt, bytes, sound);
    if (block === undefined || block.previous !== last) break;
    const whole = bytes.subarray(sound, sound + block.bytes);
    const records = recordsOf(whole, header.end !== undefined).length;
    blocks.push({ offset: sound, bytes: block.bytes, check: block.check, records });
    sound += block.bytes;
    last = block.check;
  }
  for (let at = sound; at + BLOCK_HEADER_BYTES <= bytes.length; at++) {
    if (blockAt(header.salt, bytes, at) !== undefined) {
      throw new StoreError(`${name} is damaged at byte ${sound}: what follows, at byte ${at}, is sound`);
    }
  }
  return { header, check, blocks, sound };
}

export function decodeHeader(bytes: Uint8Array<ArrayBuffer>, name: string): SegmentHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sound =
    bytes.length >= HEADER_BYTES &&
    view.getUint32(0, true) === SEGMENT_MAGIC &&
    view.getUint32(28, true) === crc32(bytes.subarray(0, 28));
  if (!sound) throw new StoreError(`${name} has a damaged header`);
  const format = view.getUint16(4, true);
  if (format !== FORMAT) throw new StoreError(`${name} has format ${format}, this program reads ${FORMAT}`);
  const header = {
    first: Number(view.getBigUint64(8, true)),
    previous: view.getUint32(16, true),
    salt: view.getUint32(20, true),
  };
  return view.getUint16(6, true) === STRIPPED ? { ...header, end: view.getUint32(24, true) } : header;
}

function blockAt(
  salt: number,
  bytes: Uint8Array,
  at: number,
): { bytes: number; check: number; previous: number } | undefined {
  if (at + BLOCK_HEADER_BYTES > bytes.length || bytes[at] !== (BLOCK_MAGIC & 0xff)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
  if (view.getUint32(0, true) !== BLOCK_MAGIC) return undefined;
  const length = BLOCK_HEADER_BYTES + view.getUint32(4, true);
  if (length > view.byteLength) return undefined;
  if (view.getUint32(12, true) !== headerCheckOf(salt, bytes.subarray(at))) return undefined;
  const check = view.getUint32(16, true);
  if (checkOf(salt, bytes.subarray(at, at + length)) !== check) return undefined;
  return { bytes: length, check, previous: view.getUint32(8, true) };
}

function headerCheckOf(salt: number, block: Uint8Array): number {
  return crc32(block.subarray(0, 12), crc32(u32Bytes(salt)));
}

function checkOf(salt: number, block: Uint8Array): number {
  return crc32(block.subarray(BLOCK_HEADER_BYTES), crc32(block.subarray(4, 12), crc32(u32Bytes(salt))));
}
