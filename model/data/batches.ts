import { ModelError } from "../contract/config.ts";
import { Random } from "../lib/random.ts";

/** The range of text that a ticket names (docs/PROTOCOL.md rule T3). */
export interface Range {
  readonly window: number;
  readonly seed: number;
  readonly steps: number;
  readonly batch: number;
}

/**
 * The micro-batches of a ticket, the same wherever they are computed. The shard is cut into windows of
 * `context` tokens, shifted by a phase drawn from the seed; the ticket's `steps × batch` windows start at
 * `window`, wrap at the shard's end, and come in an order drawn from the seed. Each yielded array is
 * [batch, context + 1], row-major: one more token than the window, the last target.
 *
 * Throws `bad-shape` when the shard has not one window.
 */
export function* batchesOf(shard: Uint16Array, range: Range, context: number): Generator<Uint16Array> {
  const random = new Random(range.seed);
  const phase = random.below(Math.max(1, Math.min(context, shard.length - context)));
  const windows = windowsOf(shard.length - phase, context);
  if (windows < 1)
    throw new ModelError("bad-shape", `a shard of ${shard.length} tokens is under one context`);
  const order = Array.from({ length: range.steps * range.batch }, (_, i) => (range.window + i) % windows);
  random.shuffle(order);
  for (let step = 0; step < range.steps; step++) {
    const tokens = new Uint16Array(range.batch * (context + 1));
    for (let row = 0; row < range.batch; row++) {
      const start = phase + order[step * range.batch + row]! * context;
      tokens.set(shard.subarray(start, start + context + 1), row * (context + 1));
    }
    yield tokens;
  }
}

/** Whole windows of context + 1 tokens, each sharing its last token with the next one's first. */
export const windowsOf = (tokens: number, context: number): number =>
  Math.max(0, Math.floor((tokens - 1) / context));
