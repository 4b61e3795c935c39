import type { TicketId } from "../../protocol/ids.ts";

/** A message of an inbox. `seq` is its place: whole numbers that ascend. */
export interface InboxMessage {
  readonly seq: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** CRC-32 of the frame that it ends with, where whoever read it has made one. */
  readonly check?: number;
}

/** The frame of a journal record, which is the end of a message and stays there. */
export interface FrameInInbox {
  readonly seq: number;
  readonly frame: Uint8Array<ArrayBuffer>;
  /** The message's, of this frame. */
  readonly check?: number | undefined;
  /** Every message up to this one is dealt with: what it brought is in the journal, or was there already. */
  readonly taken: number;
}

/**
 * Where any of a run's servers keeps a delta durably before it acknowledges it, until the server that leads has journaled
 * it. A ticket has one message, whichever servers it is sent to and however often: so two servers never acknowledge two
 * deltas of one ticket, nor one delta with two receipts.
 */
export interface Inbox {
  /**
   * Keeps a message under a ticket, unless the ticket has one. Resolves to the message that is kept, once it is durable;
   * rejects with a ProtocolError where that cannot be said.
   */
  put(ticket: TicketId, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** The messages that come after one, in order: none where there are none (yet), and only so many. */
  after(seq: number, most: number): Promise<readonly InboxMessage[]>;
  /** Resolves when more may have come, or after a moment; at once when the signal aborts. */
  arrival(signal: AbortSignal): Promise<void>;
  /** The newest {@link FrameInInbox.taken} in the journal as this store has read it; 0 where there is none. */
  readonly taken: number;
  /** Appends a record to the journal, whose frame stays where it is. Resolves and rejects as the store's own append. */
  append(head: Uint8Array, frame: FrameInInbox): Promise<number>;
  /** Messages that the journal does not have yet, by the newest refresh. */
  waiting(): Promise<number>;
}

/**
 * The messages of a stream to read after one: this many at most, and none of those that are lost, or a row of these would hide
 * what comes after it.
 */
export function nextIn(
  { first_seq, last_seq }: { readonly first_seq: number; readonly last_seq: number },
  { after, most, lost }: { readonly after: number; readonly most: number; readonly lost: Iterable<number> },
): number[] {
  const without = new Set(lost);
  const wanted: number[] = [];
  for (let seq = Math.max(after + 1, first_seq); seq <= last_seq && wanted.length < most; seq++)
    if (!without.has(seq)) wanted.push(seq);
  return wanted;
}

/** The stream of a run's inbox on a cluster. */
export const inboxStream = (name: string) => `${name}_IN`;
