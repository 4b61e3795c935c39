import { windowsOf } from "../../model/data/batches.ts";
import { Random } from "../../model/lib/random.ts";
import type { Hash } from "../../protocol/ids.ts";

/** Where a ticket's text is. */
export interface TextRange {
  readonly shard: Hash;
  /** The first window. */
  readonly window: number;
}

/**
 * The order in which the training text is handed out. The train shards are cut into ranges of one ticket
 * each; every epoch walks all of them once in its own seeded order. A position (0, 1, 2, …) names one range
 * of one epoch for good, so that only positions need to be kept.
 */
export class Ranges {
  /** Ranges in an epoch. */
  readonly epochLength: number;
  readonly #ranges: readonly TextRange[];
  readonly #seed: number;
  readonly #shift: number;
  /** The last two epochs' orders: positions are asked for nearly in sequence, around a boundary at most. */
  readonly #orders = new Map<number, Uint32Array>();

  /**
   * `windows` is what a ticket reads: its steps × batch, of `context` tokens each. Where tickets differ in length,
   * `shifted` begins each within its range by chance, so that short ones come to all of the text over the epochs.
   */
  constructor(
    shards: readonly { readonly hash: Hash; readonly tokens: number }[],
    windows: number,
    context: number,
    seed: number,
    shifted = false,
  ) {
    this.#shift = shifted ? windows : 0;
    this.#ranges = shards.flatMap(({ hash, tokens }) => {
      const count = Math.ceil(windowsOf(tokens, context) / windows);
      return Array.from({ length: Math.max(0, count) }, (_, i) => ({ shard: hash, window: i * windows }));
    });
    this.epochLength = this.#ranges.length;
    this.#seed = seed;
  }

  at(position: number): TextRange {
    const epoch = Math.floor(position / this.epochLength);
    const place = this.#order(epoch)[position % this.epochLength];
    const range = place === undefined ? undefined : this.#ranges[place];
    if (range === undefined) throw new RangeError(`no text at position ${position}`);
    if (this.#shift === 0) return range;
    return { ...range, window: range.window + new Random(this.seedOf(position)).below(this.#shift) };
  }

  /** A ticket's seed: another for every position, and the position can be read back from it. */
  seedOf(position: number): number {
    return scramble((position + this.#seed) >>> 0);
  }

  /** The position whose ticket has this seed. */
  positionOf(seed: number): number {
    return (unscramble(seed) - this.#seed) >>> 0;
  }

  #order(epoch: number): Uint32Array {
    const known = this.#orders.get(epoch);
    if (known !== undefined) return known;
    const order = Uint32Array.from({ length: this.epochLength }, (_, i) => i);
    const random = new Random(scramble((this.#seed ^ scramble(epoch)) >>> 0));
    for (let i = order.length - 1; i > 0; i--) {
      const j = random.below(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    if (this.#orders.size >= 2) this.#orders.delete(Math.min(...this.#orders.keys()));
    this.#orders.set(epoch, order);
    return order;
  }
}

/** MurmurHash3's 32-bit finaliser: a permutation of the u32s in which neighbours land far apart. */
function scramble(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The inverse of {@link scramble}: the multipliers' inverses mod 2³², the shifts undone. */
function unscramble(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7ed1_b41d);
  h = Math.imul(h ^ (h >>> 13) ^ (h >>> 26), 0xa5cb_9243);
  return (h ^ (h >>> 16)) >>> 0;
}
