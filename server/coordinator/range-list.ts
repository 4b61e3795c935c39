import type { Hash } from "../../protocol/ids.ts";

/** Where a ticket's text is. */
export interface TextRange {
  readonly shard: Hash;
  /** The first window. */
  readonly window: number;
}

/** A train shard, and how often its text comes in an epoch: 1 if absent. */
export interface WeightedShard {
  readonly hash: Hash;
  readonly tokens: number;
  readonly weight?: number;
}

/** Ranges of one weight. */
interface Group {
  readonly ranges: readonly TextRange[];
  /** How many of them an epoch has: the next ones, going on where the epoch before ended. */
  readonly each: number;
}

/** The ranges of a text by weight, and which of them an epoch has. */
export class RangeList {
  readonly #groups: readonly Group[];
  /** Ranges in an epoch. */
  readonly length: number;

  constructor(groups: readonly Group[]) {
    this.#groups = groups;
    this.length = groups.reduce((sum, { each }) => sum + each, 0);
  }

  with(more: RangeList): RangeList {
    return new RangeList([...this.#groups, ...more.#groups]);
  }

  /** The ranges of an epoch, in the order of the text. */
  epoch(epoch: number): TextRange[] {
    return this.#groups.flatMap(({ ranges, each }) =>
      Array.from({ length: each }, (_, i) => ranges[(epoch * each + i) % ranges.length]!),
    );
  }
}

/** Cuts shards into ranges. Those of one weight that follow one another are one group. */
export function weighted(
  shards: readonly WeightedShard[],
  cut: (shard: WeightedShard) => readonly TextRange[],
): RangeList {
  const groups: { weight: number; ranges: TextRange[] }[] = [];
  for (const shard of shards) {
    const { weight = 1 } = shard;
    const last = groups.at(-1);
    const group = last?.weight === weight ? last : { weight, ranges: [] };
    if (group !== last) groups.push(group);
    for (const range of cut(shard)) group.ranges.push(range);
  }
  return new RangeList(
    groups
      .filter(({ ranges }) => ranges.length > 0)
      .map(({ weight, ranges }) => ({ ranges, each: Math.max(1, Math.round(weight * ranges.length)) })),
  );
}
