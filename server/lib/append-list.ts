/** An array as its readers see it. */
export interface ReadonlyList<T> extends Iterable<T> {
  readonly length: number;
  /** Counted from the end where it is negative. */
  at(index: number): T | undefined;
  filter(keeps: (item: T) => boolean): T[];
  find(fits: (item: T) => boolean): T | undefined;
  findLast(fits: (item: T) => boolean): T | undefined;
  flatMap<U>(make: (item: T) => U | readonly U[]): U[];
  map<U>(make: (item: T) => U): U[];
  some(fits: (item: T) => boolean): boolean;
}

/**
 * A list that never changes. A new one with an item more costs no copy: both read the same array, each as far as its own
 * length. Only the longest list of an array grows it in place; any other copies its own part first.
 */
export class AppendList<T> implements ReadonlyList<T> {
  readonly #items: T[];
  readonly length: number;

  private constructor(items: T[], length: number) {
    this.#items = items;
    this.length = length;
  }

  /** The items of a list. An array's are copied, since its owner may change it. */
  static of<T>(list: ReadonlyList<T>): AppendList<T> {
    return list instanceof AppendList ? list : new AppendList([...list], list.length);
  }

  /** With this item at the end. */
  with(item: T): AppendList<T> {
    const items = this.#items.length === this.length ? this.#items : this.toJSON();
    items.push(item);
    return new AppendList(items, this.length + 1);
  }

  at(index: number): T | undefined {
    const place = index < 0 ? this.length + index : index;
    return place < this.length ? this.#items[place] : undefined;
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.#items[i] as T; // below its length are items
  }

  some(fits: (item: T) => boolean): boolean {
    for (let i = 0; i < this.length; i++) if (fits(this.#items[i] as T)) return true;
    return false;
  }

  find(fits: (item: T) => boolean): T | undefined {
    for (let i = 0; i < this.length; i++) if (fits(this.#items[i] as T)) return this.#items[i];
    return undefined;
  }

  findLast(fits: (item: T) => boolean): T | undefined {
    for (let i = this.length - 1; i >= 0; i--) if (fits(this.#items[i] as T)) return this.#items[i];
    return undefined;
  }

  filter(keeps: (item: T) => boolean): T[] {
    return this.toJSON().filter(keeps);
  }

  flatMap<U>(make: (item: T) => U | readonly U[]): U[] {
    return this.toJSON().flatMap(make);
  }

  map<U>(make: (item: T) => U): U[] {
    return this.toJSON().map(make);
  }

  /** A plain array, for serialisation. */
  toJSON(): T[] {
    return this.#items.slice(0, this.length);
  }
}
