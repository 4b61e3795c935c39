import { windowsOf } from "../../model/data/batches.ts";
import { Random } from "../../model/lib/random.ts";
import { type RangeList, type TextRange, type WeightedShard, weighted } from "./range-list.ts";

/** The ranges of a run, or a part of its history, from one position on. */
interface Segment {
  readonly from: number;
  /** The first epoch that begins here, counted over the whole run. */
  readonly epoch: number;
  /** What was left of the epoch before and the text that came then, in the order of their own; empty at the beginning. */
  readonly first: readonly TextRange[];
  readonly list: RangeList;
}

interface Cutting {
  /** Windows of one range. */
  readonly windows: number;
  readonly context: number;
  readonly seed: number;
  readonly shifted: boolean;
}

/**
 * The order in which the training text is handed out. The train shards are cut into ranges of one ticket
 * each; every epoch walks all of them once in its own seeded order. A position (0, 1, 2, …) names one range
 * of one epoch for good, so that only positions need to be kept. Text that is added later comes in at a position: the
 * positions before it keep their ranges.
 */
export class Ranges {
  readonly #cutting: Cutting;
  readonly #segments: readonly Segment[];
  /** The last two epochs' orders: positions are asked for nearly in sequence, around a boundary at most. */
  readonly #orders = new Map<number, readonly TextRange[]>();

  /**
   * `windows` is what a ticket reads: its steps × batch, of `context` tokens each. Where tickets differ in length,
   * `shifted` begins each within its range by chance, so that short ones come to all of the text over the epochs.
   */
  constructor(
    shards: readonly WeightedShard[],
    windows: number,
    context: number,
    seed: number,
    shifted = false,
    segments?: readonly Segment[],
  ) {
    this.#cutting = { windows, context, seed, shifted };
    this.#segments = segments ?? [{ from: 0, epoch: 0, first: [], list: listOf(shards, this.#cutting) }];
  }

  /**
   * With more text, from a position on: what is left of the epoch there and all of the new text come before the next
   * epoch begins, in an order of their own.
   */
  extended(from: number, shards: readonly WeightedShard[]): Ranges {
    const last = this.#last;
    if (from < last.from) throw new RangeError(`text came in at position ${last.from} already`);
    const added = listOf(shards, this.#cutting);
    const list = last.list.with(added);
    const { epoch, left } = this.#restAt(last, from);
    const first = this.#shuffled([...left, ...added.epoch(0)], epoch + 1);
    const { windows, context, seed, shifted } = this.#cutting;
    const segments = [...this.#segments, { from, epoch: epoch + 2, first, list }];
    return new Ranges([], windows, context, seed, shifted, segments);
  }

  /** Ranges in an epoch of the whole text. */
  get epochLength(): number {
    return this.#last.list.length;
  }

  /** A position whose range is drawn from the whole text by a u32. */
  positionFor(drawn: number): number {
    const { from, first } = this.#last;
    return from + first.length + (drawn % this.epochLength);
  }

  at(position: number): TextRange {
    const segment = this.#segments.findLast(({ from }) => from <= position);
    const range = segment && this.#rangeIn(segment, position - segment.from);
    if (range === undefined) throw new RangeError(`no text at position ${position}`);
    const { shifted, windows } = this.#cutting;
    if (!shifted) return range;
    return { ...range, window: range.window + new Random(this.seedOf(position)).below(windows) };
  }

  /** A ticket's seed: another for every position, and the position can be read back from it. */
  seedOf(position: number): number {
    return scramble((position + this.#cutting.seed) >>> 0);
  }

  /** The position whose ticket has this seed. */
  positionOf(seed: number): number {
    return (unscramble(seed) - this.#cutting.seed) >>> 0;
  }

  get #last(): Segment {
    return this.#segments.at(-1)!; // there is always one
  }

  #rangeIn(segment: Segment, offset: number): TextRange | undefined {
    const { first, epoch, list } = segment;
    if (offset < first.length) return first[offset];
    const past = offset - first.length;
    return this.#order(list, epoch + Math.floor(past / list.length))[past % list.length];
  }

  /** The epoch under way at a position, and its ranges from there on. */
  #restAt({ from, first, epoch, list }: Segment, position: number) {
    const offset = position - from;
    if (offset < first.length) return { epoch: epoch - 1, left: first.slice(offset) };
    if (list.length === 0) return { epoch, left: [] };
    const past = offset - first.length;
    const current = epoch + Math.floor(past / list.length);
    return { epoch: current, left: this.#order(list, current).slice(past % list.length) };
  }

  #order(list: RangeList, epoch: number): readonly TextRange[] {
    const known = this.#orders.get(epoch);
    if (known !== undefined) return known;
    const order = this.#shuffled(list.epoch(epoch), epoch);
    if (this.#orders.size >= 2) this.#orders.delete(Math.min(...this.#orders.keys()));
    this.#orders.set(epoch, order);
    return order;
  }

  #shuffled(ranges: TextRange[], epoch: number): readonly TextRange[] {
    new Random(scramble((this.#cutting.seed ^ scramble(epoch)) >>> 0)).shuffle(ranges);
    return ranges;
  }
}

const listOf = (shards: readonly WeightedShard[], { windows, context }: Cutting): RangeList =>
  weighted(shards, ({ hash, tokens }) =>
    Array.from({ length: Math.max(0, Math.ceil(windowsOf(tokens, context) / windows)) }, (_, i) => ({
      shard: hash,
      window: i * windows,
    })),
  );

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
