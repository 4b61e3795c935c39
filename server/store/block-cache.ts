import { KeptReads } from "../lib/kept-reads.ts";
import type { BlockAt } from "./nats-blocks.ts";
import type { NatsLog } from "./nats-log.ts";
import { StoreError } from "./store.ts";

/** Bytes of blocks that are kept: those since a snapshot are read twice, to learn of their deltas and to merge them. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Blocks that are asked for before the reader comes to them. One by one, each would cost a round trip to the cluster. */
const READ_AHEAD = 16;

type Records = readonly Uint8Array<ArrayBuffer>[];
/** By sequence of the message. */
export type KeptBlocks = KeptReads<number, Records>;

/** The blocks of a log on a cluster, each asked for once while it is kept, and those that come next ahead of the reader. */
export class BlockCache {
  readonly #log: Pick<NatsLog, "blocks" | "read">;
  /** What was read, which goes on with whoever reads the same log next. */
  readonly kept: KeptBlocks;

  constructor(log: Pick<NatsLog, "blocks" | "read">, kept?: KeptBlocks) {
    this.#log = log;
    const bytesOf = (records: Records) => records.reduce((sum, { length }) => sum + length, 0);
    this.kept = kept ?? new KeptReads(MAX_BYTES, bytesOf);
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.kept.size;
  }

  /** Rejects with a StoreError where no block has it, or its block cannot be read. */
  async record(sequence: number): Promise<Uint8Array<ArrayBuffer>> {
    const block = this.#blockOf(sequence);
    const record = block && (await this.#read(block))[sequence - block.first];
    if (record === undefined) throw new StoreError(`the journal has no record ${sequence}`);
    return record;
  }

  /**
   * Begins to read what somebody comes to who reads on from a record. Returns the record at which to say so again.
   */
  prepare(sequence: number): number {
    const { blocks } = this.#log;
    const at = blocks.findIndex(({ first, records }) => records > 0 && sequence < first + records);
    if (at < 0) return Number.POSITIVE_INFINITY;
    const ahead = blocks.slice(at, at + READ_AHEAD).filter(({ records }) => records > 0);
    for (const block of ahead) this.#read(block).catch(() => {}); // whoever comes to it hears of that
    const middle = ahead[ahead.length >> 1];
    return middle === undefined ? sequence + 1 : middle.first + middle.records;
  }

  #blockOf(sequence: number): BlockAt | undefined {
    return this.#log.blocks.findLast(({ first, records }) => records > 0 && first <= sequence);
  }

  #read(block: BlockAt): Promise<Records> {
    return this.kept.read(block.seq, () => this.#log.read(block));
  }
}
