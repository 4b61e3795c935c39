import { StoreError } from "./store.ts";

/** A journal record: u32 length | so many bytes of its head, an event's JSON | a delta's frame, which may be empty. */

/** A record in pieces, so that nobody copies a frame only to put an event before it. */
export function joinRecord(head: Uint8Array, frame: Uint8Array = new Uint8Array()): readonly Uint8Array[] {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, head.length, true);
  return [length, head, frame];
}

/** A record's head and its frame, which is empty where it has none. Throws a StoreError for a record cut short. */
export function splitRecord<B extends ArrayBufferLike>(
  record: Uint8Array<B>,
): {
  readonly head: Uint8Array<B>;
  readonly frame: Uint8Array<B>;
} {
  const end = endOfEvent(record);
  return { head: record.subarray(4, end), frame: record.subarray(end) };
}

/** A record's frame. Throws a StoreError where it has none. */
export function frameOf<B extends ArrayBufferLike>(record: Uint8Array<B>): Uint8Array<B> {
  const { frame } = splitRecord(record);
  if (frame.length === 0) throw new StoreError("a journal record has lost its frame to retention");
  return frame;
}

/** A record without its frame. */
export const withoutFrame = (record: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
  record.subarray(0, endOfEvent(record));

function endOfEvent(record: Uint8Array): number {
  const end = record.length < 4 ? 4 : 4 + new DataView(record.buffer, record.byteOffset).getUint32(0, true);
  if (end > record.length) throw new StoreError("a journal record is shorter than its event");
  return end;
}
