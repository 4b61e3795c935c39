interface Kept<Value> {
  readonly value: Promise<Value>;
  /** Undefined while it is on its way. */
  size: number | undefined;
}

/** What was read for askers, each once for all who ask while it is kept; of what is there the least recently used goes first. */
export class KeptReads<Key, Value> {
  readonly #most: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #kept = new Map<Key, Kept<Value>>();
  #size = 0;

  /** `most` and `sizeOf` are in any one unit. */
  constructor(most: number, sizeOf: (value: Value) => number) {
    this.#most = most;
    this.#sizeOf = sizeOf;
  }

  /** Of all that is kept now. */
  get size(): number {
    return this.#size;
  }

  /** Rejects with what `read` rejects with; then it is read again the next time. */
  read(key: Key, read: () => Promise<Value>): Promise<Value> {
    const kept = this.#kept.get(key) ?? this.#begin(key, read());
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.value;
  }

  #begin(key: Key, value: Promise<Value>): Kept<Value> {
    const kept: Kept<Value> = { value, size: undefined };
    value.then(
      (came) => {
        kept.size = this.#sizeOf(came);
        this.#size += kept.size;
        this.#makeRoom();
      },
      () => this.#kept.delete(key),
    );
    return kept;
  }

  #makeRoom(): void {
    for (const [key, { size }] of this.#kept) {
      if (this.#size <= this.#most) return;
      if (size === undefined) continue;
      this.#kept.delete(key);
      this.#size -= size;
    }
  }
}
