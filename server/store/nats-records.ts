import { messageOf } from "../../model/lib/message-of.ts";
import { concat } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { KeptReads } from "../lib/kept-reads.ts";
import { BlockCache, type KeptBlocks } from "./block-cache.ts";
import type { NatsArchive } from "./nats-archive.ts";
import { LetGo } from "./nats-errors.ts";
import type { NatsInbox } from "./nats-inbox.ts";
import type { NatsLog } from "./nats-log.ts";
import { type FramePlace, joinRecord, splitPlace, splitRecord } from "./record-parts.ts";
import { type JournalEntry, StoreError } from "./store.ts";

/** Bytes of frames that are kept: the newest are soon merged, and those since a snapshot are read at a start. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/** Frames that are asked for before the reader comes to them. */
const FRAMES_AHEAD = 8;
/** Milliseconds after which what a cluster did not answer may be tried again. */
const RETRY_MS = 5_000;

export interface RecordPlaces {
  readonly log: Pick<NatsLog, "blocks" | "read" | "length">;
  readonly archive: Pick<NatsArchive, "length" | "record" | "refresh">;
  /** Undefined where a server leads that has none. */
  readonly inbox: Pick<NatsInbox, "frame"> | undefined;
}

/** A journal's records on a cluster, wherever they are: in blocks, in the archive, or with their frames in the inbox. */
export class NatsRecords {
  readonly #places: RecordPlaces;
  readonly #blocks: BlockCache;
  /** By message of the inbox. */
  readonly #frames = new KeptReads<number, Uint8Array<ArrayBuffer>>(MAX_FRAME_BYTES, ({ length }) => length);

  /** `kept`: what another one has read of the same log. */
  constructor(places: RecordPlaces, kept?: KeptBlocks) {
    this.#places = places;
    this.#blocks = new BlockCache(places.log, kept);
  }

  /** The blocks that were read and are kept. */
  get kept(): KeptBlocks {
    return this.#blocks.kept;
  }

  /** A frame that is at hand need not be asked for. */
  keep(seq: number, frame: Uint8Array<ArrayBuffer>): void {
    void this.#frames.read(seq, async () => frame);
  }

  /** A record, with its frame while somebody may need that. */
  async whole(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const record = await this.#read(sequence);
    const { head, place } = splitPlace(record);
    return place === undefined ? record : concat(...joinRecord(head, await this.#frameAt(place, sequence)));
  }

  /** A record's frame alone, where it lies; empty where nobody needs it any more. */
  async frame(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const record = await this.#read(sequence);
    const { place } = splitPlace(record);
    return place === undefined ? splitRecord(record).frame : this.#frameAt(place, sequence);
  }

  async #frameAt(place: FramePlace, sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const { inbox } = this.#places;
    if (inbox === undefined) throw new StoreError(`nothing has the frame of record ${sequence}`);
    try {
      return await answered(this.#frames.read(place.seq, () => inbox.frame(place)));
    } catch (error) {
      if (!(error instanceof LetGo)) throw error;
      return new Uint8Array();
    }
  }

  /** A record without its frame. */
  async bare(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    return concat(...joinRecord(splitPlace(await this.#read(sequence)).head));
  }

  /** The records from one on. */
  async *from(from: number, frames: boolean): AsyncGenerator<JournalEntry> {
    const { log, archive } = this.#places;
    const end = log.length;
    const read = (sequence: number) => (frames ? this.whole(sequence) : this.bare(sequence));
    let [prepared, begun] = [Math.max(from, archive.length), Math.max(from, archive.length)];
    for (let sequence = from; sequence < end; sequence++) {
      if (sequence >= prepared) prepared = this.#blocks.prepare(sequence);
      for (; frames && begun < Math.min(end, sequence + FRAMES_AHEAD); begun++) {
        if (begun > sequence) this.whole(begun).catch(() => {}); // whoever comes to it hears of that
      }
      yield { sequence, record: await read(sequence) };
    }
  }

  async #read(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const { log, archive } = this.#places;
    if (!Number.isSafeInteger(sequence) || sequence < 0 || sequence >= log.length) {
      throw new StoreError(`the journal has no record ${sequence}`);
    }
    if (sequence < archive.length) return answered(archive.record(sequence));
    try {
      return await answered(this.#blocks.record(sequence));
    } catch (error) {
      if (!(error instanceof LetGo)) throw error;
    }
    // Let go of since this store was refreshed: it is archived, without its frame.
    await archive.refresh();
    return answered(archive.record(sequence));
  }
}

/** A cluster that does not answer, as while it elects leaders, is no fault of what was read: it is to be tried again. */
export async function answered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StoreError || error instanceof ProtocolError) throw error;
    throw new ProtocolError("not-durable", `the cluster does not answer: ${messageOf(error)}`, RETRY_MS);
  }
}
