import { lengthOf, type Pieces } from "../../protocol/bytes.ts";

/** Bytes of records that share one fsync; a larger record is written alone. */
export const MAX_GROUP_BYTES = 8 * 1024 * 1024;

/**
 * Records that arrive while the disk syncs share the next write. An append resolves only when its group is durable. When
 * a write fails, every record of its group is refused, and the next group is tried.
 */
export class GroupCommit {
  readonly #most: number;
  readonly #write: (records: readonly Pieces[]) => Promise<number>;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;

  /**
   * `write` makes a group durable and resolves to its first record's sequence number. Groups have at most `most` bytes of
   * records, or one record.
   */
  constructor(write: (records: readonly Pieces[]) => Promise<number>, most = MAX_GROUP_BYTES) {
    this.#write = write;
    this.#most = most;
  }

  /** Resolves to the record's sequence number; rejects with what `write` rejects with. */
  append(record: Pieces): Promise<number> {
    return this.appendAll([record]);
  }

  /** Resolves to the first record's sequence number, once all of them are durable; where it rejects none is. */
  appendAll(records: readonly Pieces[]): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Resolves when nothing waits and nothing is being written. */
  async idle(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        let next = await this.#write(group.flatMap(({ records }) => records));
        for (const { records, resolve } of group) {
          resolve(next);
          next += records.length;
        }
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.#flushing = undefined;
  }

  #takeGroup(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ records }, i) => {
      for (const record of records) bytes += lengthOf(record);
      return i > 0 && bytes > this.#most;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }
}

interface Waiting {
  /** Durable together. */
  readonly records: readonly Pieces[];
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}
