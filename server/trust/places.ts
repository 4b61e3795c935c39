import { STRETCH } from "../../protocol/codec/codec.ts";

/** A tensor's part of the flat vector. */
export interface Part {
  readonly offset: number;
  readonly length: number;
}

/** Stretches of a large vector that are looked at: all of it would cost ten times what accepting a delta does. */
const MAX_STRETCHES = 16;
/** Places of a tensor that its size is measured by. */
const TENSOR_PLACES = 256;

/**
 * Where deltas are looked at: whole stretches, so that few codes are decoded, chosen so that as many tensors as can be
 * lie in one; and in each tensor some places. What is left out is left to chance, so that nobody can be large just
 * beside what is looked at.
 */
export class Places {
  /** Where the stretches begin, ascending, and how many values they have together. */
  readonly starts: readonly number[];
  readonly count: number;
  /** Of each tensor, places within the stretches; of one that none of them meets, no places. */
  readonly tensors: readonly { readonly length: number; readonly places: Uint32Array }[];

  /** `chance` gives numbers in [0, 1). */
  constructor(parameters: number, tensors: readonly Part[], chance: () => number) {
    this.starts = stretchesFor(parameters, tensors, chance);
    const ends = (start: number) => Math.min(start + STRETCH, parameters);
    this.count = this.starts.reduce((sum, start) => sum + ends(start) - start, 0);
    this.tensors = tensors.map(({ offset, length }) => {
      const within = this.starts
        .map((start) => [Math.max(start, offset), Math.min(ends(start), offset + length)] as const)
        .filter(([from, to]) => from < to);
      const held = within.reduce((sum, [from, to]) => sum + to - from, 0);
      const stride = Math.max(1, held / TENSOR_PLACES);
      const places: number[] = [];
      let at = chance() * stride;
      for (const [from, to] of within) {
        for (; at < to - from; at += stride) places.push(from + Math.floor(at));
        at -= to - from;
      }
      return { length, places: Uint32Array.from(places) };
    });
  }

  /** So many places, spread evenly over the stretches, of which only the last may be short. */
  spread(most: number): Uint32Array {
    const count = Math.min(this.count, most);
    return Uint32Array.from({ length: count }, (_, n) => {
      const place = Math.floor((n * this.count) / count);
      return this.starts[Math.floor(place / STRETCH)]! + (place % STRETCH);
    });
  }
}

/** First those that meet the most tensors not met yet, of equal ones any; then evenly over the vector. */
function stretchesFor(parameters: number, tensors: readonly Part[], chance: () => number): number[] {
  const all = Math.ceil(parameters / STRETCH);
  if (all <= MAX_STRETCHES) return Array.from({ length: all }, (_, i) => i * STRETCH);
  const meets = new Map<number, number[]>();
  tensors.forEach(({ offset, length }, tensor) => {
    // A tensor over many stretches is met by its ends, where its neighbours are too.
    for (const place of [offset, offset + length - 1]) {
      const stretch = Math.floor(place / STRETCH);
      meets.set(stretch, [...(meets.get(stretch) ?? []), tensor]);
    }
  });
  const drawn = [...meets]
    .map((one) => ({ one, at: chance() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
  const [chosen, met] = [new Set<number>(), new Set<number>()];
  while (chosen.size < MAX_STRETCHES && met.size < tensors.length) {
    let [best, most] = [-1, 0];
    for (const [stretch, here] of drawn) {
      const fresh = new Set(here.filter((tensor) => !met.has(tensor))).size;
      if (fresh > most) [best, most] = [stretch, fresh];
    }
    if (best < 0) break;
    chosen.add(best);
    for (const tensor of meets.get(best)!) met.add(tensor);
  }
  for (let n = 0; chosen.size < MAX_STRETCHES / 2; n++) chosen.add(Math.floor((n * 2 * all) / MAX_STRETCHES));
  return [...chosen].sort((a, b) => a - b).map((stretch) => stretch * STRETCH);
}
