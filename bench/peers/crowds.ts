import type { Visitor } from "./simulate.ts";

/** Megabits a second in bytes a second. */
const MBIT = 125_000;

/** Down and up in Mbit/s: mobile, DSL, cable, fibre, and a slow rural line. */
const LINKS = [
  [16, 2],
  [25, 5],
  [50, 10],
  [250, 25],
  [100, 40],
] as const;

/** Milliseconds that a visitor stays on average, exponentially distributed: who just came may just go. */
const STAY_MS = 300_000;

/** Visitors that come at random within `over` milliseconds. */
export function crowd(count: number, over: number, random: () => number): Visitor[] {
  return Array.from({ length: count }, () => {
    const [down, up] = LINKS[Math.floor(random() * LINKS.length)] ?? LINKS[0];
    const arrives = random() * over;
    const leaves = arrives - Math.log(1 - random()) * STAY_MS;
    return { arrives, leaves, up: up * MBIT, down: down * MBIT, latency: 10 + random() * 40 };
  });
}

/** A small generator with a seed, so that a row comes out the same again. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * The least mean time to start of those who finished, whatever anyone does: the k-th to finish needs k copies to have
 * been carried by the server and all visitors present until then, and nobody is faster than its own link. Milliseconds.
 */
export function leastMeanStart(
  visitors: readonly Visitor[],
  finished: readonly boolean[],
  length: number,
  server: number,
  budget: number,
): number {
  const those = visitors.filter((_, i) => finished[i]);
  const own = those.map(({ arrives, down }) => arrives + (length / down) * 1_000).sort((a, b) => a - b);
  const changes = visitors
    .flatMap(({ arrives, leaves, up }) => [
      { at: arrives, rate: Math.min(up, budget) },
      { at: leaves, rate: -Math.min(up, budget) },
    ])
    .sort((a, b) => a.at - b.at);
  const first = changes[0]?.at ?? 0;
  let [at, rate, carried, next] = [first, server, 0, 0];
  let sum = 0;
  for (let k = 0; k < own.length; k++) {
    const wanted = (k + 1) * length;
    for (let change = changes[next]; change !== undefined; change = changes[++next]) {
      const more = (rate * (change.at - at)) / 1_000;
      if (carried + more >= wanted) break;
      carried += more;
      at = change.at;
      rate += change.rate;
    }
    const carriedAt = at + ((wanted - carried) / rate) * 1_000;
    sum += Math.max(carriedAt, own[k] ?? 0);
  }
  return (sum - those.reduce((total, { arrives }) => total + arrives, 0)) / Math.max(1, those.length);
}
