import { closeSync, openSync, readSync } from "node:fs";
import { frameOf } from "./record-parts.ts";
import { isSound, recordsOf } from "./segment.ts";
import { type RecordPlace, StoreError } from "./store.ts";

/** Where a frame lies in the memory that its block was read into. */
export interface FramePlace {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Reads a journal's block into `memory` from `at` on, synchronously and in any thread, and tells where in it the frames of
 * some of its records lie. Throws a StoreError for what is no sound block, and what Node throws of a file that cannot be
 * read.
 */
export function readFrames(
  { path, salt, offset, bytes }: RecordPlace,
  records: readonly number[],
  memory: Uint8Array,
  at: number,
): readonly FramePlace[] {
  const block = memory.subarray(at, at + bytes);
  const descriptor = openSync(path, "r");
  try {
    for (let got = 0; got < bytes; ) {
      const more = readSync(descriptor, block, got, bytes - got, offset + got);
      if (more === 0) throw new StoreError(`${path} has ended before byte ${offset + bytes}`);
      got += more;
    }
  } finally {
    closeSync(descriptor);
  }
  if (!isSound(salt, block)) throw new StoreError(`${path} was changed at byte ${offset}`);
  const all = recordsOf(block, false);
  return records.map((before) => {
    const record = all[before];
    if (record === undefined) throw new StoreError(`${path} has no record ${before} at byte ${offset}`);
    const frame = frameOf(record);
    return { at: frame.byteOffset - memory.byteOffset, bytes: frame.length };
  });
}
