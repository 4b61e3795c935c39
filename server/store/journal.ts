import { concat } from "../../protocol/bytes.ts";
import { asRefusal } from "./durability.ts";
import { type Files, join, type OpenFile, tidy, writeDurably } from "./files.ts";
import {
  type Block,
  encodeBlock,
  encodeHeader,
  HEADER_BYTES,
  headerCheck,
  isSound,
  recordsOf,
  scan,
} from "./segment.ts";
import { type JournalEntry, StoreError } from "./store.ts";

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
    const names = (await files.list(DIRECTORY)).filter((name) => /^\d{8}\.log$/.test(name));
    const segments: Held[] = [];
    let length = 0;
    for (const [i, name] of names.entries()) {
      const path = join(DIRECTORY, name);
      const bytes = await files.read(path);
      if (bytes === undefined || name !== nameOf(i)) throw new StoreError(`${path} should not be there`);
      const { header, check, blocks, sound } = scan(bytes, path);
      const before = segments.at(-1);
      if (header.first !== length || (before !== undefined && endOf(before) !== header.previous)) {
        throw new StoreError(`${path} does not follow the segment before it`);
      }
      if (sound < bytes.length && i < names.length - 1) {
        throw new StoreError(`${path} is damaged at byte ${sound}, and a segment follows it`);
      }
      segments.push({ path, header, check, blocks: [...blocks], bytes: sound });
      length += blocks.reduce((sum, block) => sum + block.records, 0);
    }
    const journal = new Journal(files, options, segments, length);
    // What a killed process wrote and never synced is read back as if it were durable: make it so, and cut
    // off what is torn, before anything is built on it.
    if (segments.length > 0) await journal.#reopen();
    return journal;
  }

  get length(): number {
    return this.#length;
  }

  append(record: Uint8Array<ArrayBuffer>): Promise<number> {
    if (this.#closed) return Promise.reject(new StoreError("the journal is closed"));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  async *records(): AsyncGenerator<JournalEntry> {
    const end = this.#length;
    for (const segment of [...this.#segments]) {
      let { first: sequence } = segment.header;
      const bytes = await this.#files.read(segment.path, 0, segment.bytes);
      for (const block of segment.blocks) {
        if (sequence >= end) return; // written since: not in `bytes`
        for (const record of recordsOf(this.#sound(segment, block, bytes, block.offset))) {
          yield { sequence: sequence++, record };
        }
      }
    }
  }

  async read(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const segment = this.#segments.findLast(({ header }) => header.first <= sequence);
    let first = segment?.header.first ?? 0;
    for (const block of segment?.blocks ?? []) {
      if (segment !== undefined && sequence < first + block.records && sequence >= first) {
        const bytes = await this.#files.read(segment.path, block.offset, block.offset + block.bytes);
        return recordsOf(this.#sound(segment, block, bytes, 0))[sequence - first]!;
      }
      first += block.records;
    }
    throw new StoreError(`the journal has no record ${sequence}`);
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
      const blocks: Block[] = [];
      const bytes = await this.#files.read(segment.path, 0, segment.bytes);
      let offset = HEADER_BYTES;
      for (const old of segment.blocks) {
        const records = recordsOf(this.#sound(segment, old, bytes, old.offset)).map(strip);
        const block = encodeBlock(header.salt, blocks.at(-1)?.check ?? check, records);
        parts.push(block.bytes);
        blocks.push({ offset, bytes: block.bytes.length, check: block.check, records: old.records });
        offset += block.bytes.length;
      }
      await writeDurably(this.#files, segment.path, concat(...parts)).catch((error: unknown) => {
        throw asRefusal(error);
      });
      this.#segments[i] = { path: segment.path, header, check, blocks, bytes: offset };
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
      bytes += record.length;
      return i > 0 && bytes > GROUP_BYTES;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  /** Writes one block and syncs it; returns its first record's sequence number. */
  async #write(records: readonly Uint8Array[]): Promise<number> {
    const last = this.#segments.at(-1);
    const segment = last === undefined || last.bytes >= this.#segmentBytes ? await this.#rotate() : last;
    if (this.#broken || this.#file === undefined) await this.#reopen();
    const block = encodeBlock(segment.header.salt, lastCheck(segment), records);
    await this.#file!.append(block.bytes);
    await this.#file!.sync();
    const { bytes, check } = block;
    segment.blocks.push({ offset: segment.bytes, bytes: bytes.length, check, records: records.length });
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
  readonly blocks: Block[];
  bytes: number;
}

interface Waiting {
  readonly record: Uint8Array<ArrayBuffer>;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

const nameOf = (segment: number): string => `${String(segment).padStart(8, "0")}.log`;
const lastCheck = ({ blocks, check }: Held): number => blocks.at(-1)?.check ?? check;
/** What the next segment's header names. */
const endOf = (segment: Held): number => segment.header.end ?? lastCheck(segment);
