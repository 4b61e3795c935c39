import type { Pieces } from "../../protocol/bytes.ts";
import type { FrameInInbox } from "./inbox.ts";

/**
 * Up to which message of an inbox the journal has all, whatever order blocks are written in: one that could not be written is
 * tried again later, and those that came after it may be stored by then.
 */
export class InboxProgress {
  /** Messages on their way to the journal, or still to be tried again. */
  readonly #open = new Set<number>();
  readonly #seqs = new WeakMap<object, number>();
  #taken: number;

  constructor(taken: number) {
    this.#taken = taken;
  }

  /** A record is about to be written, whose frame is in a message. */
  note(record: readonly Uint8Array[], { seq, taken }: Pick<FrameInInbox, "seq" | "taken">): void {
    this.#taken = Math.max(this.#taken, taken);
    this.#open.add(seq);
    this.#seqs.set(record, seq);
  }

  /** Writes records together. `write` gets what the journal has once they are stored; settles as that does. */
  async write<T>(records: readonly Pieces[], write: (taken: number) => Promise<T>): Promise<T> {
    const own = new Set(records.flatMap((record) => this.#seqs.get(record) ?? []));
    const newest = Math.max(this.#taken, ...own);
    const isWhole = ![...this.#open].some((seq) => seq < newest && !own.has(seq));
    const taken = isWhole ? newest : this.#taken;
    const result = await write(taken);
    for (const seq of own) this.#open.delete(seq);
    this.#taken = Math.max(this.#taken, taken);
    return result;
  }
}
