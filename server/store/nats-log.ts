import {
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Pieces } from "../../protocol/bytes.ts";
import { Mutex } from "../lib/mutex.ts";
import { type BlockAt, blockOf, headersOf, type ReadBlocks, readBlocks, writerOf } from "./nats-blocks.ts";
import { DamagedReplica, decidedAs, isNoStream, isWrongLast, LetGo } from "./nats-errors.ts";
import { ASK_MS, BRING_MS, makeStream, managerOf } from "./nats-manager.ts";
import { refuseToWrite } from "./read-only.ts";
import { checkIn, encodeBlock, isSound, recordsOf } from "./segment.ts";
import { Deposed, StoreError } from "./store.ts";

/** Blocks in a stream are as sound as their chain: no stranger's frame could pose as one, so they need no salt. */
const SALT = 0;
/** Milliseconds between two looks at a cluster that does not answer: an election takes 5 to 9 s. */
const LOOK_AGAIN_MS = 250;
/** Bytes of a block that a cluster stores in a millisecond at least, on a busy disk and link. */
const MIN_RATE = 2_000;

export interface LogOptions {
  readonly connection: NatsConnection;
  readonly stream: string;
  readonly subject: string;
  readonly replicas: number;
  /** Names this writer, and no other ever. */
  readonly writer: string;
  /** Reads again from another node what one was found to lack. */
  readonly mend: <T>(read: () => Promise<T>) => Promise<T>;
  /** Only reads: makes no stream and deposes nobody. */
  readonly reading: boolean;
  readonly sleep: (ms: number) => Promise<void>;
}

/** The stream of a run's journal. */
export const logStream = (name: string) => `${name}_LOG`;

/**
 * The journal's blocks as messages of one stream, each chained to the one before. A block is published on condition that
 * the stream's last message is the one this writer knows, so that of two writers only one can go on, whatever clocks and
 * leases say. Whoever opens the log to write appends an empty block first: from then on every earlier writer is deposed.
 */
export class NatsLog {
  readonly #options: LogOptions;
  readonly #manager: JetStreamManager;
  /** The same, for what takes longer to bring. */
  readonly #bringer: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly #deposed = new AbortController();
  readonly #writing = new Mutex();
  #blocks: BlockAt[];
  /** Bytes of blocks that came when their places were read, until somebody reads them, or the next places. */
  #came: Map<number, Uint8Array>;
  #closed = false;

  private constructor(options: LogOptions, { manager, bringer }: Managers, { blocks, data }: ReadBlocks) {
    this.#options = options;
    this.#manager = manager;
    this.#bringer = bringer;
    this.#client = jetstream(options.connection);
    this.#blocks = blocks;
    this.#came = new Map(data);
  }

  /**
   * Opens the stream, making it where it is missing, and becomes its writer; or only reads what is there. `known`: the
   * blocks that another log of this process has read of it.
   */
  static async open(options: LogOptions, known: readonly BlockAt[] = []): Promise<NatsLog> {
    const { connection } = options;
    const managers = {
      manager: await managerOf(connection),
      bringer: await managerOf(connection, BRING_MS),
    };
    const places = () => options.mend(() => readBlocks({ ...options, ...managers }, known));
    if (options.reading) {
      const found = await places().catch((error: unknown) => {
        throw isNoStream(error) ? new StoreError("the cluster has no run of this key") : error;
      });
      return new NatsLog(options, managers, found);
    }
    await makeLog(options);
    for (;;) {
      const log = new NatsLog(options, managers, await places());
      try {
        await log.append([]);
        return log;
      } catch (error) {
        if (!(error instanceof Deposed)) throw error; // somebody has appended since the blocks were read
      }
    }
  }

  /** Learns of what was appended and let go of since. Rejects with a StoreError where a block in between is missing. */
  async refresh(): Promise<void> {
    const parts = { ...this.#options, manager: this.#manager, bringer: this.#bringer };
    const { blocks, data } = await this.#options.mend(() => readBlocks(parts, this.#blocks));
    this.#blocks = blocks;
    this.#came = new Map(data);
  }

  /** Blocks that came since. */
  async unread(): Promise<number> {
    const { state } = await this.#manager.streams.info(this.#options.stream);
    return Math.max(0, state.last_seq - (this.#blocks.at(-1)?.seq ?? 0));
  }

  /** Aborts when another writer is met. */
  get deposed(): AbortSignal {
    return this.#deposed.signal;
  }

  /** In order; those that were archived and let go of are not among them. */
  get blocks(): readonly BlockAt[] {
    return this.#blocks;
  }

  get length(): number {
    const last = this.#blocks.at(-1);
    return last === undefined ? 0 : last.first + last.records;
  }

  /** The newest message of the inbox up to which the journal has all. */
  get taken(): number {
    return this.#blocks.at(-1)?.taken ?? 0;
  }

  /**
   * Appends a block; resolves to its first record's number. With it the journal has all of the inbox up to `taken`. Rejects
   * with {@link Deposed}, or with a refusal where the cluster has decided not to store it. Where nobody answers it asks
   * until somebody does: a block that may be stored must not be given up. It may be sent several times, and is stored once:
   * the second finds the first as the tail.
   */
  append(records: readonly Pieces[], taken = 0): Promise<number> {
    return this.#writing.run(() => this.#append(records, taken));
  }

  async #append(records: readonly Pieces[], reached: number): Promise<number> {
    if (this.#deposed.signal.aborted) throw new Deposed();
    const { subject, writer, reading } = this.#options;
    if (reading) return refuseToWrite();
    const [last, first, taken] = [this.#blocks.at(-1), this.length, Math.max(reached, this.taken)];
    const { bytes, check } = encodeBlock(SALT, last?.check ?? 0, records);
    const about = headersOf({ first, records: records.length, check, taken }, writer);
    const expect = { lastSequence: last?.seq ?? 0 };
    const timeout = ASK_MS + bytes.length / MIN_RATE;
    for (let uncertain = false; ; uncertain = true) {
      let isOther = false;
      try {
        const { seq } = await this.#client.publish(subject, bytes, { headers: about, expect, timeout });
        this.#blocks.push({ seq, first, records: records.length, check, taken });
        return first;
      } catch (error) {
        isOther = isWrongLast(error);
        if (isOther && !uncertain) return this.#depose();
        const refusal = decidedAs(error);
        if (refusal !== undefined && !uncertain) throw refusal;
        if (this.#closed) throw error;
      }
      if (!isOther) await this.#options.sleep(LOOK_AGAIN_MS);
      const isStored = await this.#isStored(first, check);
      if (isStored) return first;
      if (isStored === false && isOther) return this.#depose();
    }
  }

  /** Rejects with {@link Deposed} where somebody else has appended. Not while a block is being written. */
  fence(): Promise<void> {
    if (this.#options.reading) return refuseToWrite();
    return this.#writing.run(async () => {
      if (this.#deposed.signal.aborted) throw new Deposed();
      const tail = await this.#tail();
      if (tail?.seq !== this.#blocks.at(-1)?.seq) this.#depose();
    });
  }

  /** A block's records. Rejects with a StoreError where it is gone or changed: nobody goes on over a gap. */
  read(block: BlockAt): Promise<Uint8Array<ArrayBuffer>[]> {
    return this.#options.mend(() => this.#read(block));
  }

  async #read({ seq, check, records }: BlockAt): Promise<Uint8Array<ArrayBuffer>[]> {
    const { stream } = this.#options;
    const at = `block ${seq} of ${stream}`;
    const block = new Uint8Array(this.#came.get(seq) ?? (await this.#ask(seq, at)));
    this.#came.delete(seq);
    if (!isSound(SALT, block) || checkIn(block) !== check)
      throw new DamagedReplica(stream, `${at} was changed`);
    const found = recordsOf(block, false);
    if (found.length !== records) throw new StoreError(`${at} has ${found.length} records, not ${records}`);
    return found;
  }

  async #ask(seq: number, at: string): Promise<Uint8Array> {
    const { stream } = this.#options;
    const message = await this.#bringer.streams.getMessage(stream, { seq });
    if (message !== null) return message.data;
    const { state } = await this.#manager.streams.info(stream);
    if (seq < state.first_seq) throw new LetGo(`${at} was let go of`);
    throw new DamagedReplica(stream, `${at} is missing`);
  }

  /** Lets go of the blocks before one that stays, which are archived. */
  async letGoBefore({ seq }: BlockAt): Promise<void> {
    await this.fence();
    await this.#manager.streams.purge(this.#options.stream, { seq });
    this.#blocks = this.#blocks.filter((block) => block.seq >= seq);
  }

  close(): void {
    this.#closed = true;
  }

  #depose(): never {
    this.#deposed.abort();
    throw new Deposed();
  }

  /**
   * Whether a block whose answer was lost is the stream's last after all; it is then noted as such. Undefined where nobody
   * says.
   */
  async #isStored(first: number, check: number): Promise<boolean | undefined> {
    const tail = await this.#tail().catch(() => "unknown" as const);
    if (tail === "unknown") return undefined;
    const block = tail && blockOf(tail);
    const own = tail !== undefined && writerOf(tail) === this.#options.writer;
    if (block === undefined || !own || block.first !== first || block.check !== check) return false;
    this.#blocks.push(block);
    return true;
  }

  async #tail(): Promise<StoredMsg | undefined> {
    const { stream, subject } = this.#options;
    return (await this.#manager.streams.getMessage(stream, { last_by_subj: subject })) ?? undefined;
  }
}

interface Managers {
  readonly manager: JetStreamManager;
  readonly bringer: JetStreamManager;
}

async function makeLog({ connection, stream, subject, replicas }: LogOptions): Promise<void> {
  await makeStream(connection, {
    name: stream,
    subjects: [subject],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    num_replicas: replicas,
    allow_direct: false, // any replica would answer, also one that is behind
  });
}
