import type { VersionRecord } from "../../protocol/history.ts";

/** Deltas of the records kept, of some 300 bytes each. */
const MAX_KEPT = 5_000;

interface Kept {
  readonly record: Promise<VersionRecord>;
  /** Deltas in it, and one for itself; 0 until it is read. */
  size: number;
}

/**
 * Signed records of versions. One of a thousand deltas takes 10 ms to put together, and whoever has a delta in a version
 * asks for its proof when it is published: so each is read once for all who ask, and those used last are kept.
 */
export class Records {
  readonly #read: (version: number) => Promise<VersionRecord>;
  readonly #most: number;
  /** The least recently used first. What is published never changes. */
  readonly #kept = new Map<number, Kept>();
  #size = 0;

  constructor(read: (version: number) => Promise<VersionRecord>, most = MAX_KEPT) {
    this.#read = read;
    this.#most = most;
  }

  /** Rejects with what `read` rejects with, and asks it again the next time. */
  readonly of = (version: number): Promise<VersionRecord> => {
    const kept = this.#kept.get(version) ?? this.#begin(version);
    this.#kept.delete(version);
    this.#kept.set(version, kept);
    return kept.record;
  };

  #begin(version: number): Kept {
    const kept = { record: this.#read(version), size: 0 };
    kept.record.then(
      ({ merged }) => this.#keep(version, kept, merged.length + 1),
      () => this.#kept.delete(version),
    );
    return kept;
  }

  #keep(version: number, kept: Kept, size: number): void {
    if (this.#kept.get(version) !== kept) return; // it had to go while it was read
    kept.size = size;
    this.#size += size;
    for (const [oldest, { size }] of this.#kept) {
      if (this.#size <= this.#most) return;
      this.#kept.delete(oldest);
      this.#size -= size;
    }
  }
}
