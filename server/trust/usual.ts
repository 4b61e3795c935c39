import { medianOf } from "../lib/median.ts";
import type { Facts } from "./candidate.ts";

/** One delta's measurement, and the run's newest version then. */
export interface Learned<T> {
  readonly version: number;
  readonly value: T;
}

/** Measurements of a run's newest deltas, oldest first. */
export interface Usual {
  /** Sizes (candidate.ts) of accepted deltas. */
  readonly sizes: readonly Learned<number>[];
  /** The same of their tensors: a delta each. */
  readonly tensors: readonly Learned<readonly number[]>[];
  /** Gain of a proven delta's step on its own text, nats a token. */
  readonly gains: readonly Learned<number>[];
  /** Effects of merged deltas on gate text (slow-harm.ts); absent: none was measured. */
  readonly effects?: readonly Learned<number>[];
  /** The same of each part of them (parts.ts). */
  readonly parts?: readonly Learned<readonly number[]>[];
}

export const NOTHING_USUAL: Usual = { sizes: [], tensors: [], gains: [] };

/** Sizes that a running median looks back on. */
const SIZES = 128;
/** Deltas that those of tensors look back on: a large model has some hundred tensors. */
const TENSOR_SIZES = 48;
/** Gains that one looks back on: fewer, since a run's gains shrink as it learns. */
const GAINS = 16;
/** Effects that one looks back on: those of a few versions, for they shrink as fast as a run learns. */
const EFFECTS = 32;

/** With the sizes of a delta that was accepted. */
export function withSize(usual: Usual, version: number, { size, tensors }: Facts): Usual {
  return {
    ...usual,
    sizes: newest(usual.sizes, { version, value: size }, SIZES),
    ...(tensors && { tensors: newest(usual.tensors, { version, value: tensors }, TENSOR_SIZES) }),
  };
}

/** With what a delta gained that an audit found good. */
export const withGain = (usual: Usual, version: number, gain: number): Usual => ({
  ...usual,
  gains: newest(usual.gains, { version, value: gain }, GAINS),
});

/** Whether any gain is known. */
export const knowsGains = ({ gains }: Usual): boolean => gains.length > 0;

/** With the effects of deltas that were merged into `version`. */
export function withEffects(
  usual: Usual,
  version: number,
  measured: readonly { readonly effect: number; readonly parts?: readonly number[] }[],
): Usual {
  const { effects = [], parts = [] } = usual;
  const inParts = measured.flatMap(({ parts: value }) => (value === undefined ? [] : [{ version, value }]));
  return {
    ...usual,
    effects: [...effects, ...measured.map(({ effect: value }) => ({ version, value }))].slice(-EFFECTS),
    ...(inParts.length > 0 && { parts: [...parts, ...inParts].slice(-EFFECTS) }),
  };
}

/**
 * Only what was learned up to a version, for a run that goes back to it: what deltas gained while the model was broken
 * is no measure for those that follow. Of sizes, which hardly depend on the model, all stay where none is as old.
 */
export function upTo({ sizes, tensors, gains, effects, parts }: Usual, version: number): Usual {
  const before = <T>(learned: readonly Learned<T>[]) => learned.filter((one) => one.version <= version);
  const orAll = <T>(learned: readonly Learned<T>[]) => {
    const kept = before(learned);
    return kept.length > 0 ? kept : learned;
  };
  return {
    ...{ sizes: orAll(sizes), tensors: orAll(tensors), gains: before(gains) },
    ...(effects && { effects: before(effects) }),
    ...(parts && { parts: before(parts) }),
  };
}

/** Undefined where nothing is known. */
export const usualSize = ({ sizes }: Usual): number | undefined => medianOf(sizes.map(({ value }) => value));

/** A step's usual gain on its own text, nats a token. */
export const usualGain = ({ gains }: Usual): number =>
  Math.max(0, medianOf(gains.map(({ value }) => value)) ?? 0);

const newest = <T>(learned: readonly Learned<T>[], one: Learned<T>, most: number): readonly Learned<T>[] => [
  ...learned.slice(1 - most),
  one,
];
