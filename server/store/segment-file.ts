import type { Files } from "./files.ts";
import {
  type Block,
  decodeHeader,
  HEADER_BYTES,
  headerCheck,
  isSound,
  recordsOf,
  type SegmentHeader,
  scan,
} from "./segment.ts";
import { StoreError } from "./store.ts";

/** One of the journal's files (format: segment.ts). */
export interface SegmentFile {
  readonly path: string;
  readonly header: SegmentHeader;
  /** The header's check, which the first block names. */
  readonly check: number;
  /** Undefined for a stripped segment: a long run has too many of them to keep in memory. */
  readonly blocks: Block[] | undefined;
  /** Up to the end of the last sound block; 0 where there are no `blocks`. */
  bytes: number;
}

/** The check that the next block names. */
export const lastCheck = ({ blocks, check }: SegmentFile): number => blocks?.at(-1)?.check ?? check;
/** The check that the next segment's header names. */
export const endOf = (segment: SegmentFile): number => segment.header.end ?? lastCheck(segment);
export const isStripped = ({ header }: SegmentFile): boolean => header.end !== undefined;

/**
 * Scans a segment's file; of a stripped one it reads the header only. Rejects with a StoreError where it is damaged; only
 * the last segment may end in a torn block.
 */
export async function openSegment(files: Files, path: string, isLast: boolean): Promise<SegmentFile> {
  const head = await files.read(path, 0, HEADER_BYTES);
  if (head === undefined) throw new StoreError(`${path} should not be there`);
  const header = decodeHeader(head, path);
  if (header.end !== undefined && !isLast) {
    return { path, header, check: headerCheck(head), blocks: undefined, bytes: 0 };
  }
  const bytes = await files.read(path);
  const { check, blocks, sound } = scan(bytes ?? head, path);
  if (sound < (bytes?.length ?? 0) && !isLast) {
    throw new StoreError(`${path} is damaged at byte ${sound}, and a segment follows it`);
  }
  return { path, header, check, blocks: [...blocks], bytes: sound };
}

type Records = readonly Uint8Array<ArrayBuffer>[];

/** Reads records from segments' files. Remembers the last block, since a merge reads its deltas one by one, in order. */
export class SegmentReader {
  readonly #files: Files;
  #block: { readonly at: string; readonly records: Records } | undefined;
  /** The stripped segment that was scanned last. */
  #stripped: { readonly path: string; readonly blocks: readonly Block[]; readonly bytes: number } | undefined;

  constructor(files: Files) {
    this.#files = files;
  }

  /** Every block's records, in order; blocks that are written meanwhile are not among them. */
  async *blocks(segment: SegmentFile): AsyncGenerator<Records> {
    const { blocks, bytes } = await this.#scanned(segment);
    const before = blocks.filter((block) => block.offset + block.bytes <= bytes);
    const content = await this.#files.read(segment.path, 0, bytes);
    for (const block of before) yield decoded(segment, block, content, block.offset);
  }

  /** A segment's `at`-th record, or undefined where it has fewer. */
  async record(segment: SegmentFile, at: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let first = 0;
    for (const block of (await this.#scanned(segment)).blocks) {
      if (at < first + block.records) return (await this.#recordsIn(segment, block))[at - first];
      first += block.records;
    }
    return undefined;
  }

  async #scanned(
    segment: SegmentFile,
  ): Promise<{ readonly blocks: readonly Block[]; readonly bytes: number }> {
    const { path, blocks, bytes } = segment;
    if (blocks !== undefined) return { blocks, bytes };
    if (this.#stripped?.path === path) return this.#stripped;
    const content = await this.#files.read(path);
    if (content === undefined) throw new StoreError(`${path} is gone`);
    const found = scan(content, path);
    if (found.header.end !== segment.header.end || found.sound < content.length) {
      throw new StoreError(`${path} is damaged at byte ${found.sound}`);
    }
    this.#stripped = { path, blocks: found.blocks, bytes: found.sound };
    return this.#stripped;
  }

  async #recordsIn(segment: SegmentFile, block: Block): Promise<Records> {
    const at = `${segment.path} ${segment.header.end ?? ""} ${block.offset}`;
    if (this.#block?.at !== at) {
      const bytes = await this.#files.read(segment.path, block.offset, block.offset + block.bytes);
      this.#block = { at, records: decoded(segment, block, bytes, 0) };
    }
    return this.#block.records;
  }
}

/** A block's records; `bytes` has it at `at`. Throws a StoreError where it is not there any more. */
function decoded(
  segment: SegmentFile,
  block: Block,
  bytes: Uint8Array<ArrayBuffer> | undefined,
  at: number,
): Records {
  const found = bytes?.subarray(at, at + block.bytes);
  if (found !== undefined && isSound(segment.header.salt, found))
    return recordsOf(found, isStripped(segment));
  throw new StoreError(`${segment.path} was changed at byte ${block.offset} since it was opened`);
}
