import type { Pieces } from "../../protocol/bytes.ts";
import { Mutex } from "../lib/mutex.ts";
import { asRefusal } from "./durability.ts";
import { type Files, join, type OpenFile, tidy, writeDurably } from "./files.ts";
import { GroupCommit, MAX_GROUP_BYTES } from "./group-commit.ts";
import { encodeBlock, encodeHeader, HEADER_BYTES, headerCheck, packSegment } from "./segment.ts";
import {
  endOf,
  isStripped,
  lastCheck,
  openSegment,
  type SegmentFile,
  SegmentReader,
} from "./segment-file.ts";
import { Deposed, type JournalEntry, type RecordPlace, StoreError } from "./store.ts";
import { isOwnTail } from "./tail.ts";

/** Bytes at which a segment is closed: small enough to read whole, large enough to be few. */
const SEGMENT_BYTES = 16 * 1024 * 1024;

const DIRECTORY = "journal";

/**
 * The append-only journal (format: segment.ts). Many appends share one fsync (group-commit.ts), and each resolves only
 * after it.
 *
 * When a write or an fsync fails, every record of its group is refused. Before the next group the file is opened again,
 * cut back to what was synced, and synced. The failed fsync itself is never tried again: the kernel may have marked the
 * lost pages clean, so that a second fsync would succeed over a hole. Writing the bytes again makes new dirty pages, whose
 * fsync means something.
 *
 * One process writes at a time. The data directory's lock sees to that; where a lock does not hold (a network file
 * system, two names of one directory), the tail does: before each write it must be the one this writer left.
 */
export class Journal {
  readonly #files: Files;
  readonly #salt: () => number;
  readonly #segmentBytes: number;
  /** Oldest first. Only the last is written to. */
  readonly #segments: SegmentFile[];
  readonly #reader: SegmentReader;
  readonly #commits = new GroupCommit((records) => this.#write(records));
  #file: OpenFile | undefined;
  #length: number;
  #broken = false;
  #closed = false;
  /** Each block is put together here: it is durable before the next one is begun. */
  #buffer = new Uint8Array();
  /** What was written last, perhaps in part: at the journal's end it is our own, and anything else another writer's. */
  #attempt: { readonly header?: Uint8Array; readonly block?: Uint8Array } = {};
  readonly #deposed = new AbortController();
  readonly #writing = new Mutex();

  private constructor(files: Files, options: JournalOptions, segments: SegmentFile[], length: number) {
    this.#files = files;
    this.#salt = options.salt;
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    this.#segments = segments;
    this.#reader = new SegmentReader(files);
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
    // Bytes that a killed process wrote and never synced are read back as if they were durable: make them so, and cut
    // off a torn block, before anything is built on them.
    if (journal.#segments.length > 0) await journal.#reopen();
    journal.#closed = false;
    return journal;
  }

  /**
   * Reads what is there and changes nothing, even while a server writes: the journal is what it had appended whole by
   * now. Of stripped segments, which are old and many, only the header is read; damage behind it is found when the segment
   * is read.
   */
  static async read(files: Files, options: JournalOptions): Promise<Journal> {
    const names = (await files.list(DIRECTORY)).filter((name) => /^\d{8}\.log$/.test(name));
    const segments: SegmentFile[] = [];
    let length = 0;
    for (const [i, name] of names.entries()) {
      const path = join(DIRECTORY, name);
      if (name !== nameOf(i)) throw new StoreError(`${path} should not be there`);
      const segment = await openSegment(files, path, i === names.length - 1);
      const { header } = segment;
      const before = segments.at(-1);
      // Only the segment after a stripped one says how many records that has.
      const follows =
        before !== undefined && isStripped(before)
          ? header.first >= before.header.first
          : header.first === length;
      if (!follows || (before !== undefined && endOf(before) !== header.previous)) {
        throw new StoreError(`${path} does not follow the segment before it`);
      }
      segments.push(segment);
      length = header.first + (segment.blocks ?? []).reduce((sum, block) => sum + block.records, 0);
    }
    const last = segments.at(-1);
    if (last !== undefined && isStripped(last)) {
      throw new StoreError("the journal's last segment is missing"); // only older ones are stripped
    }
    const journal = new Journal(files, options, segments, length);
    journal.#closed = true;
    return journal;
  }

  get length(): number {
    return this.#length;
  }

  /** See {@link Store.deposed}. */
  get deposed(): AbortSignal {
    return this.#deposed.signal;
  }

  append(record: Pieces): Promise<number> {
    return this.appendAll([record]);
  }

  /** Resolves to the first record's number, once all of them are durable; where it rejects none is. */
  appendAll(records: readonly Pieces[]): Promise<number> {
    if (this.#closed) return Promise.reject(new StoreError("the journal is closed"));
    return this.#commits.appendAll(records);
  }

  async *records(from = 0): AsyncGenerator<JournalEntry> {
    const end = this.#length;
    for (const [i, segment] of [...this.#segments.entries()]) {
      const next = this.#segments[i + 1]?.header.first ?? end;
      if (next <= from) continue;
      let { first: sequence } = segment.header;
      for await (const records of this.#reader.blocks(segment)) {
        if (sequence >= end) return; // written since
        for (const record of records) {
          if (sequence >= from) yield { sequence, record };
          sequence += 1;
        }
      }
      if (sequence < next) throw new StoreError(`${segment.path} has lost records`);
    }
  }

  async read(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const segment = this.#segments.findLast(({ header }) => header.first <= sequence);
    if (segment === undefined || sequence < 0 || sequence >= this.#length) {
      throw new StoreError(`the journal has no record ${sequence}`);
    }
    try {
      const record = await this.#reader.record(segment, sequence - segment.header.first);
      if (record !== undefined) return record;
    } catch (error) {
      if (this.#segments.includes(segment)) throw error;
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
      if (isStripped(segment)) continue;
      await this.fence();
      const header = { ...segment.header, end: endOf(segment) };
      const records: Uint8Array[] = [];
      for await (const block of this.#reader.blocks(segment)) {
        for (const record of block) records.push(strip(record));
      }
      const { bytes, check } = await packSegment(header, records);
      await writeDurably(this.#files, segment.path, bytes).catch((error: unknown) => {
        throw asRefusal(error);
      });
      this.#segments[i] = { path: segment.path, header, check, blocks: undefined, bytes: 0 };
    }
  }

  /** Rejects with {@link Deposed} where another writer has appended. Not while a block is being written. */
  fence(): Promise<void> {
    return this.#writing.run(() => this.#requireOwnTail());
  }

  /** Waits for what is being written; later appends are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#commits.idle();
    await this.#file?.close();
    this.#file = undefined;
  }

  /** Writes a group; the journal is broken until the next one when that fails. */
  async #write(records: readonly Pieces[]): Promise<number> {
    try {
      return await this.#writing.run(() => this.#writeBlock(records));
    } catch (error) {
      if (error instanceof Deposed) throw error;
      this.#broken = true;
      throw asRefusal(error);
    }
  }

  async #requireOwnTail(): Promise<void> {
    const last = this.#segments.at(-1);
    const next = join(DIRECTORY, nameOf(this.#segments.length));
    const tail = { path: last?.path, bytes: last?.bytes ?? 0, next, attempt: this.#attempt };
    if (!this.deposed.aborted && !(await isOwnTail(this.#files, tail))) this.#deposed.abort();
    if (this.deposed.aborted) throw new Deposed();
  }

  /** Writes one block and syncs it; returns its first record's sequence number. */
  async #writeBlock(records: readonly Pieces[]): Promise<number> {
    await this.#requireOwnTail();
    const last = this.#segments.at(-1);
    const segment = last === undefined || last.bytes >= this.#segmentBytes ? await this.#rotate() : last;
    if (this.#broken || this.#file === undefined) await this.#reopen();
    const block = encodeBlock(segment.header.salt, lastCheck(segment), records, this.#buffer);
    if (block.bytes.length > this.#buffer.length && block.bytes.length <= MAX_GROUP_BYTES) {
      this.#buffer = new Uint8Array(Math.min(MAX_GROUP_BYTES, 2 * block.bytes.length));
    }
    this.#attempt = { block: block.bytes };
    await this.#file!.append(block.bytes);
    await this.#file!.sync();
    this.#attempt = {};
    const { bytes, check } = block;
    segment.blocks?.push({ offset: segment.bytes, bytes: bytes.length, check, records: records.length });
    segment.bytes += bytes.length;
    const first = this.#length;
    this.#length += records.length;
    return first;
  }

  /** Begins a new segment; it appears whole, under its name, or not at all. */
  async #rotate(): Promise<SegmentFile> {
    const last = this.#segments.at(-1);
    if (this.#broken && last !== undefined) await this.#reopen(); // a closed segment must end soundly
    const path = join(DIRECTORY, nameOf(this.#segments.length));
    const header = {
      first: this.#length,
      previous: last === undefined ? 0 : endOf(last),
      salt: this.#salt() >>> 0,
    };
    const bytes = encodeHeader(header);
    this.#attempt = { header: bytes };
    await writeDurably(this.#files, path, bytes);
    await this.#file?.close();
    this.#file = undefined;
    const segment = { path, header, check: headerCheck(bytes), blocks: [], bytes: HEADER_BYTES };
    this.#segments.push(segment);
    return segment;
  }

  /** Opens the last segment again, cut back to what is known to be durable. */
  async #reopen(): Promise<void> {
    const { path, bytes } = this.#segments.at(-1)!;
    await this.#file?.close().catch(() => {}); // the failed write has reported its error
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
}

export interface JournalOptions {
  /** Draws a segment's salt, a u32. */
  readonly salt: () => number;
  readonly segmentBytes?: number;
}

const nameOf = (segment: number): string => `${String(segment).padStart(8, "0")}.log`;
