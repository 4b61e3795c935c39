import { concat, lengthOf, type Pieces } from "../../protocol/bytes.ts";
import { asRefusal } from "./durability.ts";
import { type Files, join, type OpenFile, tidy, writeDurably } from "./files.ts";
import {
  type Block,
  decodeHeader,
  encodeBlock,
  encodeHeader,
  HEADER_BYTES,
  headerCheck,
  isSound,
  PACKED_BYTES,
  packBlock,
  recordsOf,
  scan,
} from "./segment.ts";
import { type JournalEntry, type RecordPlace, StoreError } from "./store.ts";

/** A segment is closed when it has grown to this: small enough to read whole, large enough to be few. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Records that wait while the disk syncs share the next fsync, up to so many bytes. */
const GROUP_BYTES = 8 * 1024 * 1024;

const DIRECTORY = "journal";

/**
 * The append-only journal (format: segment.ts). Many appends share one fsync, and each resolves only after it.
 *
 * When a write or an fsync fails, every record of its group is refused, and before the next one the file is
 * opened anew, cut back to what was synced, and synced. The failed fsync itself is never tried again: the
 * kernel may have marked the lost pages clean, so that a second fsync would succeed over a hole. Writing the
 * bytes again makes new dirty pages, whose fsync means something.
 */
export class Journal {
  readonly #files: Files;
  readonly #salt: () => number;
  readonly #segmentBytes: number;
  /** Oldest first. Only the last is written to. */
  readonly #segments: Held[];
  #file: OpenFile | undefined;
  #length: number;
  #broken = false;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #closed = false;
  /** Where blocks are put together, one after another: each is durable before the next is begun. */
  #room = new Uint8Array();
  /** The block that was read last. */
  #block: { readonly at: string; readonly records: readonly Uint8Array<ArrayBuffer>[] } | undefined;
  /** The stripped segment that was read last. */
  #lately: { readonly path: string; readonly blocks: readonly Block[]; readonly bytes: number } | undefined;

  private constructor(files: Files, options: JournalOptions, segments: Held[], length: number) {
    this.#files = files;
    this.#salt = options.salt;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#segments = segments;
    this.#length = length;
  }

  /**
   * Opens what is there. A torn last block is cut off (nothing in it was acknowledged); any other damage
   * rejects with a StoreError.
   */
  static async open(files: Files, options: JournalOptions): Promise<Journal> {
    await files.makeDirectory(DIRECTORY);
    await tidy(files, DIRECTORY);
    const journal = await Journal.read(files, options);
    // What a killed process wrote and never synced is read back as if it were durable: make it so, and cut
    // off what is torn, before anything is built on it.
    if (journal.#segments.length > 0) await journal.#reopen();
    journal.#closed = false;
    return journal;
  }

  /**
   * Reads what is there and changes nothing, also while a server writes: what it had appended whole by now is
   * the journal. Stripped segments, which are old and many, are opened by their header alone; what is wrong
   * with one is told when it is read.
   */
  static async read(files: Files, options: JournalOptions): Promise<Journal> {
    const names = (await files.list(DIRECTORY)).filter((name) => /^\d{8}\.log$/.test(name));
    const segments: Held[] = [];
    let length = 0;
    for (const [i, name] of names.entries()) {
      const path = join(DIRECTORY, name);
      if (name !== nameOf(i)) throw new StoreError(`${path} should not be there`);
      const segment = await openSegment(files, path, i === names.length - 1);
      const { header } = segment;
      const before = segments.at(-1);
      // How many records a stripped segment has, the next one tells.
      const stripped = before !== undefined && before.header.end !== undefined;
      const follows = stripped ? header.first >= before.header.first : header.first === length;
      if (!follows || (before !== undefined && endOf(before) !== header.previous)) {
        throw new StoreError(`${path} does not follow the segment before it`);
      }
      segments.push(segment);
      length = header.first + (segment.blocks ?? []).reduce((sum, block) => sum + block.records, 0);
    }
    if (segments.at(-1)?.header.end !== undefined) {
      throw new StoreError("the journal's last segment is missing"); // only older ones are stripped
    }
    const journal = new Journal(files, options, segments, length);
    journal.#closed = true;
    return journal;
  }

  get length(): number {
    return this.#length;
  }

  append(record: Pieces): Promise<number> {
    if (this.#closed) return Promise.reject(new StoreError("the journal is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async *records(from = 0): AsyncGenerator<JournalEntry> {
    const end = this.#length;
    for (const [i, segment] of [...this.#segments.entries()]) {
      const next = this.#segments[i + 1]?.header.first ?? end;
      if (next <= from) continue;
      const { blocks, bytes } = await this.#scanned(segment);
      const content = await this.#files.read(segment.path, 0, bytes);
      let { first: sequence } = segment.header;
      for (const block of blocks) {
        if (sequence >= end) return; // written since: not in `content`
        for (const record of this.#recordsOf(segment, block, content, block.offset)) {
          if (sequence >= from) yield { sequence, record };
          sequence += 1;
        }
      }
      if (sequence < next) throw new StoreError(`${segment.path} has lost records`);
    }
  }

  async read(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const segment = this.#segments.findLast(({ header }) => header.first <= sequence);
    try {
      if (segment !== undefined && sequence >= 0 && sequence < this.#length) {
        let { first } = segment.header;
        for (const block of (await this.#scanned(segment)).blocks) {
          if (sequence < first + block.records) {
            return (await this.#recordsIn(segment, block))[sequence - first]!;
          }
          first += block.records;
        }
      }
    } catch (error) {
      if (segment === undefined || this.#segments.includes(segment)) throw error;
      return this.read(sequence); // it was stripped meanwhile
    }
    throw new StoreError(`the journal has no record ${sequence}`);
  }

  /** Where another thread finds a record that was not stripped, if these files are the machine's. */
  locate(sequence: number): RecordPlace | undefined {
    const segment = this.#segments.findLast(({ header }) => header.first <= sequence);
    const path = segment && this.#files.absolute?.(segment.path);
    if (segment?.blocks === undefined || path === undefined || sequence >= this.#length) return undefined;
    let before = sequence - segment.header.first;
    for (const { offset, bytes, records } of segment.blocks) {
      if (before < records) return { path, salt: segment.header.salt, offset, bytes, before };
      before -= records;
    }
    return undefined;
  }

  /**
   * Rewrites the closed segments that end before record `before`, passing every record through `strip`, which
   * must keep what a later start needs of it. Sequence numbers stay.
   */
  async strip(before: number, strip: (record: Uint8Array<ArrayBuffer>) => Uint8Array): Promise<void> {
    for (const [i, segment] of this.#segments.entries()) {
      const next = this.#segments[i + 1];
      if (next === undefined || next.header.first > before) return;
      if (segment.header.end !== undefined) continue;
      const header = { ...segment.header, end: endOf(segment) };
      const parts = [encodeHeader(header)];
      const check = headerCheck(parts[0]!);
      const content = await this.#files.read(segment.path, 0, segment.bytes);
      const records = (segment.blocks ?? []).flatMap((block) =>
        this.#recordsOf(segment, block, content, block.offset).map(strip),
      );
      let last = check;
      for (const group of groupsOf(records, PACKED_BYTES)) {
        const block = await packBlock(header.salt, last, group);
        parts.push(block.bytes);
        last = block.check;
      }
      await writeDurably(this.#files, segment.path, concat(...parts)).catch((error: unknown) => {
        throw asRefusal(error);
      });
      this.#segments[i] = { path: segment.path, header, check, blocks: undefined, bytes: 0 };
    }
  }

  /** Waits for what is being written; later appends are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#flushing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const first = await this.#write(group.map(({ record }) => record));
        for (const [i, { resolve }] of group.entries()) resolve(first + i);
      } catch (error) {
        this.#broken = true;
        for (const { reject } of group) reject(asRefusal(error));
      }
    }
    this.#flushing = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ record }, i) => {
      bytes += lengthOf(record);
      return i > 0 && bytes > GROUP_BYTES;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  /** Writes one block and syncs it; returns its first record's sequence number. */
  async #write(records: readonly Pieces[]): Promise<number> {
    const last = this.#segments.at(-1);
    const segment = last === undefined || last.bytes >= this.#segmentBytes ? await this.#rotate() : last;
    if (this.#broken || this.#file === undefined) await this.#reopen();
    const block = encodeBlock(segment.header.salt, lastCheck(segment), records, this.#room);
    if (block.bytes.length > this.#room.length && block.bytes.length <= GROUP_BYTES) {
      this.#room = new Uint8Array(Math.min(GROUP_BYTES, 2 * block.bytes.length));
    }
    await this.#file!.append(block.bytes);
    await this.#file!.sync();
    const { bytes, check } = block;
    segment.blocks?.push({ offset: segment.bytes, bytes: bytes.length, check, records: records.length });
    segment.bytes += bytes.length;
    const first = this.#length;
    this.#length += records.length;
    return first;
  }

  /** Begins a new segment; it appears whole, under its name, or not at all. */
  async #rotate(): Promise<Held> {
    const last = this.#segments.at(-1);
    if (this.#broken && last !== undefined) await this.#reopen(); // a closed segment must end soundly
    const path = join(DIRECTORY, nameOf(this.#segments.length));
    const header = {
      first: this.#length,
      previous: last === undefined ? 0 : endOf(last),
      salt: this.#salt() >>> 0,
    };
    const bytes = encodeHeader(header);
    await writeDurably(this.#files, path, bytes);
    await this.#file?.close();
    this.#file = undefined;
    const segment = { path, header, check: headerCheck(bytes), blocks: [], bytes: HEADER_BYTES };
    this.#segments.push(segment);
    return segment;
  }

  /** Opens the last segment anew, cut back to what is known to be durable. */
  async #reopen(): Promise<void> {
    const { path, bytes } = this.#segments.at(-1)!;
    await this.#file?.close().catch(() => {}); // its error was told when the write failed
    this.#file = undefined;
    const file = await this.#files.open(path);
    try {
      await file.truncate(bytes);
      await file.sync();
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    this.#file = file;
    this.#broken = false;
  }

  /** A segment's blocks; a stripped one is scanned when it is asked for, and the last such is remembered. */
  async #scanned(segment: Held): Promise<{ readonly blocks: readonly Block[]; readonly bytes: number }> {
    const { path, blocks, bytes } = segment;
    if (blocks !== undefined) return { blocks, bytes };
    if (this.#lately?.path === path) return this.#lately;
    const content = await this.#files.read(path);
    if (content === undefined) throw new StoreError(`${path} is gone`);
    const found = scan(content, path);
    if (found.header.end !== segment.header.end || found.sound < content.length) {
      throw new StoreError(`${path} is damaged at byte ${found.sound}`);
    }
    this.#lately = { path, blocks: found.blocks, bytes: found.sound };
    return this.#lately;
  }

  /** One block's records. The last one is remembered: a merge reads its deltas one by one, in journal order. */
  async #recordsIn(segment: Held, block: Block): Promise<readonly Uint8Array<ArrayBuffer>[]> {
    const at = `${segment.path} ${segment.header.end ?? ""} ${block.offset}`;
    if (this.#block?.at !== at) {
      const bytes = await this.#files.read(segment.path, block.offset, block.offset + block.bytes);
      this.#block = { at, records: this.#recordsOf(segment, block, bytes, 0) };
    }
    return this.#block.records;
  }

  #recordsOf(segment: Held, block: Block, bytes: Uint8Array<ArrayBuffer> | undefined, at: number) {
    return recordsOf(this.#sound(segment, block, bytes, at), segment.header.end !== undefined);
  }

  #sound(segment: Held, block: Block, bytes: Uint8Array<ArrayBuffer> | undefined, at: number) {
    const found = bytes?.subarray(at, at + block.bytes);
    if (found !== undefined && isSound(segment.header.salt, found)) return found;
    throw new StoreError(`${segment.path} was changed at byte ${block.offset} since it was opened`);
  }
}

export interface JournalOptions {
  /** Draws a segment's salt, a u32. */
  readonly salt: () => number;
  readonly segmentBytes?: number;
}

interface Held {
  readonly path: string;
  readonly header: ReturnType<typeof scan>["header"];
  readonly check: number;
  /** Undefined for a stripped segment: a long run has too many to hold. */
  readonly blocks: Block[] | undefined;
  /** Up to the end of the last sound block; 0 where `blocks` are not held. */
  bytes: number;
}

/** Looks at a segment's file. Only the last one may end in a torn block. */
async function openSegment(files: Files, path: string, last: boolean): Promise<Held> {
  const head = await files.read(path, 0, HEADER_BYTES);
  if (head === undefined) throw new StoreError(`${path} should not be there`);
  const header = decodeHeader(head, path);
  if (header.end !== undefined && !last) {
    return { path, header, check: headerCheck(head), blocks: undefined, bytes: 0 };
  }
  const bytes = await files.read(path);
  const { check, blocks, sound } = scan(bytes ?? head, path);
  if (sound < (bytes?.length ?? 0) && !last) {
    throw new StoreError(`${path} is damaged at byte ${sound}, and a segment follows it`);
  }
  return { path, header, check, blocks: [...blocks], bytes: sound };
}

/** Cuts a list of records into runs of about so many bytes. */
function groupsOf(records: readonly Uint8Array[], most: number): Uint8Array[][] {
  const groups: Uint8Array[][] = [];
  let bytes = most;
  for (const record of records) {
    if (bytes >= most) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)!.push(record);
    bytes += record.length;
  }
  return groups;
}

interface Waiting {
  readonly record: Pieces;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

const nameOf = (segment: number): string => `${String(segment).padStart(8, "0")}.log`;
const lastCheck = ({ blocks, check }: Held): number => blocks?.at(-1)?.check ?? check;
/** What the next segment's header names. */
const endOf = (segment: Held): number => segment.header.end ?? lastCheck(segment);
