/** A message of a stream, and its place there. */
export interface Chunk {
  readonly data: Uint8Array;
  readonly seq: number;
}

/** Messages that are asked for before the first of them is there: 3 MB of chunks. */
const AHEAD = 6;

/**
 * Reads this many messages of one subject, in order. `next` gives the first at a place or behind it; undefined where there is
 * none. Their places are not known before, but nearly always follow each other: so several are asked for at once, each from
 * the place where it should be, and what came twice, since others lie between, is left out. Returns the number of the first
 * that is missing where one is.
 */
export async function readChunks(
  count: number,
  next: (from: number) => Promise<Chunk | null>,
): Promise<readonly Chunk[] | number> {
  const chunks: Chunk[] = [];
  const asked: Promise<Chunk | null>[] = [];
  const ask = (from: number) => {
    const coming = next(from);
    coming.catch(() => {}); // whoever comes to it hears of that
    asked.push(coming);
  };
  for (let [last, from] = [0, 1]; chunks.length < count; ) {
    // Where the first lies nobody knows.
    const most = chunks.length === 0 ? 1 : Math.min(AHEAD, count - chunks.length);
    for (; asked.length < most; from++) ask(from);
    const chunk = await asked.shift()!;
    if (chunk === null) return chunks.length;
    if (chunk.seq <= last) continue;
    chunks.push(chunk);
    last = chunk.seq;
    from = Math.max(from, last + 1);
  }
  return chunks;
}
