/** Behind a key that is gone since the base was made. */
const GONE = Symbol("gone");

/**
 * A map that never changes, ordered by age: a new one with an entry more, or fewer, costs about √size and not a copy of
 * it all, which the busiest maps of a run's state would otherwise pay for at every delta. Made of a large map and a
 * small one of what came since; the small one is copied each time, and both are joined when it has grown.
 */
export class AgedMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  /** Younger than all of the base; a key in both is here. */
  readonly #late: ReadonlyMap<K, V | typeof GONE>;
  readonly size: number;

  private constructor(base: ReadonlyMap<K, V>, late: ReadonlyMap<K, V | typeof GONE>, size: number) {
    this.#base = base;
    this.#late = late;
    this.size = size;
  }

  /** The entries of a map that nobody changes any more. */
  static of<K, V>(map: ReadonlyMap<K, V>): AgedMap<K, V> {
    return map instanceof AgedMap ? map : new AgedMap(map, new Map(), map.size);
  }

  /** With this entry, as the youngest. */
  with(key: K, value: V): AgedMap<K, V> {
    const late = new Map(this.#late);
    late.delete(key);
    late.set(key, value);
    return this.#next(late, this.size + (this.has(key) ? 0 : 1));
  }

  without(keys: readonly K[]): AgedMap<K, V> {
    const late = new Map(this.#late);
    let { size } = this;
    for (const key of keys) {
      const held = late.get(key);
      if (held === GONE || (held === undefined && !late.has(key) && !this.#base.has(key))) continue;
      size--;
      late.delete(key);
      if (this.#base.has(key)) late.set(key, GONE);
    }
    return size === this.size ? this : this.#next(late, size);
  }

  get(key: K): V | undefined {
    const held = this.#late.get(key);
    if (held === GONE) return undefined;
    return held === undefined ? this.#base.get(key) : held;
  }

  has(key: K): boolean {
    return this.#late.has(key) ? this.#late.get(key) !== GONE : this.#base.has(key);
  }

  *[Symbol.iterator](): MapIterator<[K, V]> {
    for (const entry of this.#base) if (!this.#late.has(entry[0])) yield entry;
    for (const [key, value] of this.#late) if (value !== GONE) yield [key, value];
  }

  entries(): MapIterator<[K, V]> {
    return this[Symbol.iterator]();
  }

  *keys(): MapIterator<K> {
    for (const [key] of this) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this) yield value;
  }

  /** Several times as fast as iterating, for what is asked at every delta. */
  forEach(use: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    this.#base.forEach((value, key) => {
      if (!this.#late.has(key)) use(value, key, this);
    });
    this.#late.forEach((value, key) => {
      if (value !== GONE) use(value, key, this);
    });
  }

  /** A plain map, for serialisation. */
  toJSON(): ReadonlyMap<K, V> {
    return new Map(this);
  }

  #next(late: ReadonlyMap<K, V | typeof GONE>, size: number): AgedMap<K, V> {
    const next = new AgedMap(this.#base, late, size);
    // As large as makes copying it cost as much as joining does, spread over the times between.
    return late.size ** 2 <= 2 * this.#base.size + 64 ? next : new AgedMap(new Map(next), new Map(), size);
  }
}
