import type { RunId, TicketId, VolunteerKey } from "../../protocol/ids.ts";
import type {
  EndedDelta,
  Index,
  IndexEntry,
  IndexedCredit,
  IndexedDelta,
  IndexedVersion,
} from "../store/store.ts";

/** Acknowledged deltas that are remembered until the journal has them: while nobody leads, minutes of them; about 4 MB. */
const MAX_EXPECTED = 20_000;

/** The index's entries of one journal record: none, for most. */
export interface RecordEntries {
  readonly sequence: number;
  readonly entries: readonly IndexEntry[];
}

/**
 * Feeds the index and answers from it. The journal is the truth, so an index that cannot be written (a full
 * disk) must not stop the run: entries wait here and are tried again with the next one.
 */
export class IndexFeed {
  readonly #index: Index;
  readonly #failed: (error: unknown) => void;
  /** In the journal's order, to its end. */
  readonly #waiting: RecordEntries[] = [];
  /** The deltas among them. */
  readonly #accepted = new Map<TicketId, IndexedDelta>();
  /** Deltas that this server has acknowledged and the journal does not have yet, as far as it was read. */
  readonly #expected = new Map<VolunteerKey, Set<TicketId>>();
  #expectedCount = 0;
  /** The journal record that is added next. */
  #next: number;
  #rebuilding = false;

  constructor(index: Index, failed: (error: unknown) => void) {
    this.#index = index;
    this.#failed = failed;
    this.#next = index.applied;
  }

  /** Journal records that the index has not taken in: many, where it cannot be written. */
  get behind(): number {
    return this.#waiting.length;
  }

  /** One journal record's entries, none for most. */
  add(entries: readonly IndexEntry[]): void {
    this.#waiting.push({ sequence: this.#next++, entries });
    for (const entry of entries) {
      if (entry.type !== "accepted") continue;
      this.#accepted.set(entry.delta.ticket, entry.delta);
      this.#came(entry.delta);
    }
    this.#catchUp();
  }

  /** A delta has its receipt and will come into the journal: until then its sender's credit shows it as pending. */
  expect({ ticket, volunteer }: Pick<IndexedDelta, "ticket" | "volunteer">): void {
    if (this.delta(ticket) !== undefined || this.#expectedCount >= MAX_EXPECTED) return;
    const tickets = this.#expected.get(volunteer) ?? new Set();
    if (tickets.has(ticket)) return;
    this.#expected.set(volunteer, tickets.add(ticket));
    this.#expectedCount += 1;
  }

  /**
   * Fills the index again, after it was found to have lost something: `entriesOf` gives the entries of the journal's
   * records before the one named. What is added meanwhile waits. Never rejects: an index half filled says how
   * far it is, so another rebuild or the next start goes on.
   */
  async rebuild(run: RunId, entriesOf: (before: number) => AsyncIterable<RecordEntries>): Promise<void> {
    if (this.#rebuilding) return;
    this.#rebuilding = true;
    try {
      this.#index.clear(run);
      for await (const { entries } of entriesOf(this.#waiting[0]?.sequence ?? this.#next))
        this.#index.apply(entries);
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#rebuilding = false;
    }
    this.#catchUp();
  }

  delta(ticket: TicketId): IndexedDelta | undefined {
    return this.#accepted.get(ticket) ?? this.#index.delta(ticket);
  }

  end(ticket: TicketId): number | null | undefined {
    return this.#index.end(ticket);
  }

  version(version: number): IndexedVersion | undefined {
    return this.#index.version(version);
  }

  credit(volunteer: VolunteerKey, since: number): IndexedCredit {
    const credit = this.#index.credit(volunteer, since);
    const expected = this.#expected.get(volunteer)?.size ?? 0;
    return expected === 0 ? credit : { ...credit, pending: credit.pending + expected };
  }

  deltasOf(volunteer: VolunteerKey, most: number): readonly EndedDelta[] {
    return this.#index.deltasOf(volunteer, most);
  }

  #came({ ticket, volunteer }: IndexedDelta): void {
    const tickets = this.#expected.get(volunteer);
    if (tickets?.delete(ticket) !== true) return;
    this.#expectedCount -= 1;
    if (tickets.size === 0) this.#expected.delete(volunteer);
  }

  /** Gives the index what waits, as far as it follows on what the index has. */
  #catchUp(): void {
    try {
      for (let next = this.#waiting[0]; next?.sequence === this.#index.applied; next = this.#waiting[0]) {
        this.#index.apply(next.entries);
        this.#waiting.shift();
        for (const entry of next.entries)
          if (entry.type === "accepted") this.#accepted.delete(entry.delta.ticket);
      }
    } catch (error) {
      this.#failed(error);
    }
  }
}
