import { u32Bytes } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { StoreError } from "./store.ts";

/** A journal record: u32 length | this many bytes of its head, an event's JSON | a delta's frame, which may be empty. */

/** A record in pieces, so that nobody copies a frame only to put an event before it. */
export const joinRecord = (head: Uint8Array, frame: Uint8Array = new Uint8Array()): readonly Uint8Array[] => [
  u32Bytes(head.length),
  head,
  frame,
];

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

/** A message between servers, which has that form. Throws `bad-request` for one cut short, `too-large` for its head. */
export function splitMessage(message: Uint8Array<ArrayBuffer>, maxHeadBytes = Number.POSITIVE_INFINITY) {
  const length = firstOf(message);
  if (length > maxHeadBytes) throw new ProtocolError("too-large", `a head may have ${maxHeadBytes} bytes`);
  if (message.length < 4 + length) throw new ProtocolError("bad-request", "the message was cut short");
  const { head, frame: body } = splitRecord(message);
  return { head, body };
}

/** In a record's first number: what follows the head is not the frame, and says where that is. */
const ELSEWHERE = 2 ** 31;
/** Bytes of a place: u64 message | u32 bytes of the frame at its end | u32 check of those (CRC-32). */
const PLACE_BYTES = 16;

/** Where a record's frame is: the last so many bytes of a message. */
export interface FramePlace {
  readonly seq: number;
  readonly bytes: number;
  readonly check: number;
}

/** A record whose frame is elsewhere. Readers that know of none refuse it as cut short. */
export function joinPlace(head: Uint8Array, { seq, bytes, check }: FramePlace): readonly Uint8Array[] {
  const place = new Uint8Array(PLACE_BYTES);
  const view = new DataView(place.buffer);
  view.setBigUint64(0, BigInt(seq), true);
  view.setUint32(8, bytes, true);
  view.setUint32(12, check, true);
  return [u32Bytes(ELSEWHERE + head.length), head, place];
}

/** A record's head, and the place of its frame where that is elsewhere. Throws a StoreError for a record cut short. */
export function splitPlace(record: Uint8Array<ArrayBuffer>): {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly place: FramePlace | undefined;
} {
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const first = firstOf(record);
  if (first < ELSEWHERE) return { head: splitRecord(record).head, place: undefined };
  const end = 4 + first - ELSEWHERE;
  if (record.length !== end + PLACE_BYTES)
    throw new StoreError("a journal record does not say where its frame is");
  const place = {
    seq: Number(view.getBigUint64(end, true)),
    bytes: view.getUint32(end + 8, true),
    check: view.getUint32(end + 12, true),
  };
  return { head: record.subarray(4, end), place };
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

/** The first number, or 0 where there is none. */
const firstOf = (record: Uint8Array): number =>
  record.length < 4 ? 0 : new DataView(record.buffer, record.byteOffset).getUint32(0, true);

function endOfEvent(record: Uint8Array): number {
  const end = 4 + firstOf(record);
  if (end > record.length) throw new StoreError("a journal record is shorter than its event");
  return end;
}
