/** A Map or a Set: both are ordered by when their entries were put in. */
interface Kept<K> {
  readonly size: number;
  keys(): Iterable<K>;
  delete(key: K): boolean;
}

/**
 * Lets the oldest entries go until there are at most this many. An entry that is used again is put in again, and so counts
 * as new.
 */
export function forgetOldest<K>(kept: Kept<K>, most: number): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(oldest);
  }
}
