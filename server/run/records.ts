import type { VersionRecord } from "../../protocol/history.ts";
import { KeptReads } from "../lib/kept-reads.ts";

/** Deltas of the records kept, of some 300 bytes each. */
const MAX_KEPT = 5_000;

/**
 * Signed records of versions. One of a thousand deltas takes 10 ms to put together, and whoever has a delta in a version
 * asks for its proof when it is published: so each is read once for all who ask. What is published never changes.
 */
export class Records {
  readonly #read: (version: number) => Promise<VersionRecord>;
  /** Sized by their deltas, and one for each record itself. */
  readonly #kept: KeptReads<number, VersionRecord>;

  constructor(read: (version: number) => Promise<VersionRecord>, most = MAX_KEPT) {
    this.#read = read;
    this.#kept = new KeptReads(most, ({ merged }) => merged.length + 1);
  }

  /** Rejects with what `read` rejects with, and asks it again the next time. */
  readonly of = (version: number): Promise<VersionRecord> =>
    this.#kept.read(version, () => this.#read(version));
}
