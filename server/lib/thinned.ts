/** A curve of at most `max` points: its newest half in full, and every other point before, again and again. */
export function thinned<T>(points: readonly T[], max: number): readonly T[] {
  if (points.length <= max) return points;
  return points.filter((_, i) => i % 2 === 0 || i >= max / 2);
}
