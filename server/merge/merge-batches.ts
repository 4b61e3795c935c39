import type { FramePlace } from "../store/block-reader.ts";
import type { RecordPlace } from "../store/store.ts";
import type { WantedBlock } from "./merge-messages.ts";

/** Bytes of the memory that frames are read into; a larger block gets more, and is alone there. */
const MAX_BYTES = 32 * 1024 * 1024;
/** Frames added in one go: stretch by stretch, each waits for memory once in so many (mean.ts). */
const MAX_FRAMES = 96;

/** Frames that are read and added together, in the order of the merge. */
export interface FrameBatch {
  readonly bytes: number;
  readonly blocks: readonly WantedBlock[];
  /** For each frame its block in this batch, and which of the records that are wanted of it. */
  readonly order: readonly { readonly block: number; readonly record: number }[];
}

/** Cuts a version's frames into batches. A block that many records of a batch lie in is read once. */
export function* frameBatches(places: readonly RecordPlace[]): Generator<FrameBatch> {
  let batch = new Batch();
  for (const place of places) {
    if (!batch.takes(place)) {
      yield batch;
      batch = new Batch();
    }
    batch.add(place);
  }
  if (batch.order.length > 0) yield batch;
}

class Batch implements FrameBatch {
  bytes = 0;
  readonly blocks: { readonly place: RecordPlace; readonly at: number; readonly records: number[] }[] = [];
  readonly order: { readonly block: number; readonly record: number }[] = [];
  readonly #known = new Map<string, number>();

  takes(place: RecordPlace): boolean {
    if (this.order.length === 0) return true;
    const more = this.#known.has(nameOf(place)) ? 0 : place.bytes;
    return this.order.length < MAX_FRAMES && this.bytes + more <= MAX_BYTES;
  }

  add(place: RecordPlace): void {
    const name = nameOf(place);
    let block = this.#known.get(name);
    if (block === undefined) {
      block = this.blocks.length;
      this.#known.set(name, block);
      this.blocks.push({ place, at: this.bytes, records: [] });
      this.bytes += place.bytes;
    }
    const { records } = this.blocks[block]!;
    this.order.push({ block, record: records.length });
    records.push(place.before);
  }
}

const nameOf = ({ path, offset }: RecordPlace): string => `${path} ${offset}`;

/** Deals a batch's blocks out to this many threads, by their bytes. */
export function dealt(blocks: readonly WantedBlock[], threads: number): readonly (readonly number[])[] {
  const hands = Array.from({ length: threads }, () => ({ bytes: 0, blocks: [] as number[] }));
  for (const [i, { place }] of blocks.entries()) {
    const least = hands.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.bytes += place.bytes;
    least.blocks.push(i);
  }
  return hands.map((hand) => hand.blocks);
}

/** Frames that come one by one, laid into memory behind each other until it is full. */
export class FrameMemory {
  #memory = new Uint8Array(new SharedArrayBuffer(0));

  /** Of at least this many bytes. What it held before is gone. */
  of(bytes: number): Uint8Array {
    if (this.#memory.length < bytes) this.#memory = new Uint8Array(new SharedArrayBuffer(bytes));
    return this.#memory;
  }
}

/** Copies frames into `memory` as they come, batch by batch. */
export async function* copiedBatches(
  frames: AsyncIterable<Uint8Array<ArrayBuffer>>,
  memory: FrameMemory,
): AsyncGenerator<{ readonly memory: Uint8Array; readonly places: readonly FramePlace[] }> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  const lay = () => {
    const shared = memory.of(bytes);
    let at = 0;
    const places = waiting.map((frame) => {
      shared.set(frame, at);
      at += frame.length;
      return { at: at - frame.length, bytes: frame.length };
    });
    [waiting, bytes] = [[], 0];
    return { memory: shared, places };
  };
  for await (const frame of frames) {
    if (waiting.length === MAX_FRAMES || (bytes > 0 && bytes + frame.length > MAX_BYTES)) yield lay();
    waiting.push(frame);
    bytes += frame.length;
  }
  if (waiting.length > 0) yield lay();
}
