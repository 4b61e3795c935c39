import type { Pieces } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type { AuditedAs } from "../../protocol/people.ts";
import type { ReceiptTerms } from "../../protocol/receipt.ts";
import type { Inbox } from "./inbox.ts";

/**
 * Where a run lives: an append-only journal, which is the truth; named objects beside it, each written whole
 * or not at all; and an index that the journal can rebuild. One contract suite
 * (test/harness/store-contract.ts) tests every implementation.
 *
 * A write that cannot be made durable rejects with ProtocolError `no-space` or `not-durable`; nothing of it is then
 * in the store, and the store goes on as soon as writing works again.
 *
 * A store has one writer at a time, and the journal's tail decides which: a block is appended only behind the tail that
 * its writer knows. A writer that finds another tail has been deposed. Nothing of its own is stored any more, nothing is
 * removed, and every later write rejects with {@link Deposed}.
 */
export interface Store {
  /**
   * Appends a record of an event and, where it has one, a delta's frame (record-parts.ts). Resolves to its sequence
   * number (0, 1, 2, …) once it is durable; until then the bytes must stay as they are. Order is call order.
   */
  append(head: Uint8Array, frame?: Uint8Array): Promise<number>;
  /**
   * The durable records from one on (0), in order. Appending while it runs is not seen by it. With `frames`
   * false the records may come without theirs.
   */
  records(from?: number, frames?: boolean): AsyncIterable<JournalEntry>;
  /** One durable record. Rejects with a StoreError when there is none. */
  read(sequence: number): Promise<Uint8Array<ArrayBuffer>>;
  /** A durable record's frame alone, not copied, where the store has it so; rejects as {@link read} does. */
  frame?(sequence: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Where a durable record lies in a file that another thread can read by itself, or undefined. */
  locate?(sequence: number): RecordPlace | undefined;
  /** How many records are durable. */
  readonly length: number;
  /** Gives back space: records before `before` may lose their frames. Their heads and sequence numbers stay. */
  strip(before: number): Promise<void>;

  /**
   * Writes an object whole, durably; until then the bytes must stay as they are. `secret` keeps other users of the
   * machine out. A writer that has been deposed replaces nothing.
   */
  put(shelf: Shelf, name: string, bytes: Pieces, secret?: "secret"): Promise<void>;
  /** An object's bytes, or undefined where there is none. */
  get(shelf: Shelf, name: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The names on a shelf, sorted. */
  list(shelf: Shelf): Promise<string[]>;
  /** Removes an object; absent is fine. */
  remove(shelf: Shelf, name: string): Promise<void>;

  /** Of a run with several servers, where any of them keeps deltas that it acknowledges. */
  readonly inbox?: Inbox;
  /** Aborts when another writer is met at the journal's tail. */
  readonly deposed: AbortSignal;
  readonly index: Index;
  close(): Promise<void>;
}

/** A record's place; block-reader.ts reads it. */
export interface RecordPlace {
  /** From anywhere on this machine. */
  readonly path: string;
  /** Its segment's. */
  readonly salt: number;
  /** Its block's first byte, and length. */
  readonly offset: number;
  readonly bytes: number;
  /** Records before it in the block. */
  readonly before: number;
}

export interface JournalEntry {
  readonly sequence: number;
  readonly record: Uint8Array<ArrayBuffer>;
}

/** `run` is the data directory itself: run.json and server.key. */
export type Shelf = "run" | "snapshots" | "diffs";

/** A store that cannot be opened or read: what is wrong and where. Never repaired silently. */
export class StoreError extends Error {
  override readonly name = "StoreError";
}

/** Milliseconds after which a sender that met a deposed server may try again: another one serves the run by then. */
const DEPOSED_RETRY_MS = 5_000;

/** Another writer has appended to the journal. To a sender it is a refusal: nothing was kept. */
export class Deposed extends ProtocolError {
  constructor() {
    super(
      "not-durable",
      "another server has written to this run's journal: this one stops",
      DEPOSED_RETRY_MS,
    );
  }
}

/** Look-ups over all of a run's past. Holds nothing that the journal does not. */
export interface Index {
  /** Records [0, applied) of the journal are in the index. */
  readonly applied: number;
  /**
   * Takes in record `applied`'s entries. The index may lose the newest of them in a crash (it is never synced):
   * `applied` then tells, and the journal is read again from there.
   */
  apply(entries: readonly IndexEntry[]): void;
  /** Forgets everything, to be rebuilt for `run`. */
  clear(run: RunId): void;
  /** The run of this index, or undefined before the first {@link clear}. */
  readonly run: RunId | undefined;
  delta(ticket: TicketId): IndexedDelta | undefined;
  /** The version a delta was merged into, null where it was discarded, undefined before its end. */
  end(ticket: TicketId): number | null | undefined;
  /** Where the journal has a published version's decisions. */
  version(version: number): IndexedVersion | undefined;
  /** `since` is a time of the run clock: {@link IndexedCredit.recent} begins with its hour. */
  credit(volunteer: VolunteerKey, since: number): IndexedCredit;
  /** A volunteer's deltas, the newest first, `most` at most. */
  deltasOf(volunteer: VolunteerKey, most: number): readonly EndedDelta[];
  close(): void;
}

export type EndedDelta = IndexedDelta & {
  /** The version it is merged into, null where it was discarded, undefined before its end. */
  readonly merged: number | null | undefined;
  /** Tokens that it counted for there; undefined: all of its own, or none yet. */
  readonly counted: number | undefined;
  /** The newest audit's verdict; undefined where there was none. */
  readonly audit: AuditedAs | undefined;
};

export type IndexEntry =
  | { readonly type: "accepted"; readonly delta: IndexedDelta }
  /** A delta's one end: the version it is merged into, or null where it is discarded. Grants its credit. */
  | {
      readonly type: "ended";
      readonly ticket: TicketId;
      readonly version: number | null;
      /** Tokens of credit that it grants; absent: all of its own. */
      readonly tokens?: number;
    }
  /** An audit found a delta bad: it grants no credit any more, or never will. Its end stays. */
  | { readonly type: "revoked"; readonly ticket: TicketId }
  /** The same of a volunteer's newest deltas, this many of them. */
  | { readonly type: "forfeited"; readonly volunteer: VolunteerKey; readonly deltas: number }
  /** A volunteer earned credit by an audit. `at` is a time of the run clock. */
  | {
      readonly type: "earned";
      readonly volunteer: VolunteerKey;
      readonly tokens: number;
      readonly at: number;
    }
  /** An audit looked at a delta. */
  | { readonly type: "audited"; readonly ticket: TicketId; readonly audit: AuditedAs }
  /** The journal record that is applied is a version's `closed` event, or its successor's `published`. */
  | { readonly type: "closed"; readonly version: number }
  | { readonly type: "published"; readonly version: number };

/** A delta in the index; a receipt is made from it. */
export type IndexedDelta = Omit<ReceiptTerms, "run">;

/** Milliseconds of an hour of the run clock, by which recent credit is kept. */
export const HOUR_MS = 3_600_000;
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS);

/** Sequence numbers: of the `published` event, and of the `closed` event that led to it. */
export interface IndexedVersion {
  readonly closed: number;
  readonly published: number;
}

export interface IndexedCredit {
  /** Tokens that merged deltas counted for, and audits. */
  readonly tokens: number;
  /** Those of deltas accepted, and audits made, lately. */
  readonly recent: number;
  readonly merged: number;
  readonly pending: number;
  readonly discarded: number;
}
