import { Random } from "../../model/lib/random.ts";
import { DENSE4 } from "../../protocol/codec/codec.ts";
import { encodeFrame } from "../../protocol/frame.ts";
import { WeightedMean } from "../../server/merge/mean.ts";

/** Deltas decoded in turn: more than a processor's caches hold, as in a merge. */
const FRAMES = 48;
/** Different dense ones: 5 MB each. */
const DENSE_FRAMES = 6;
const ROUNDS = 7;
const WARM_UP = 5;

/** Times as long as copying f32 values that decoding deltas and adding them to a sum takes. */
export interface MergeOverMemcpy {
  /** The run's sparse deltas, against copying as many values as the vector has for each. */
  readonly vector: number;
  /** The same, against copying as many values as each delta lists. */
  readonly entries: number;
  /** Dense deltas of 4 bits, which list every value of the vector: there is one count only. */
  readonly dense: number;
}

/** Medians, all in one run; copies go through memory that is in no cache either. */
export function mergeOverMemcpy(parameters: number, frame: () => Uint8Array<ArrayBuffer>): MergeOverMemcpy {
  const frames = Array.from({ length: FRAMES }, frame);
  const listed = entriesOf(frames[0]!, parameters);
  const from = new Float32Array(listed * FRAMES).fill(1);
  const to = new Float32Array(listed * FRAMES);
  const decode = median(() => meanOf(parameters, frames));
  const copy = median(() => {
    for (let i = 0; i < FRAMES; i++) to.set(from.subarray(i * listed, (i + 1) * listed), i * listed);
  });
  const sum = new Float32Array(parameters).fill(1);
  const whole = sum.slice();
  const vector = median(() => whole.set(sum));
  const random = new Random(5);
  const dense = Array.from({ length: DENSE_FRAMES }, () =>
    encodeFrame(
      DENSE4,
      sum.map(() => random.unit() - 0.5),
    ),
  );
  const decodeDense = median(() => meanOf(parameters, dense));
  return {
    entries: decode / copy,
    vector: decode / FRAMES / vector,
    dense: decodeDense / DENSE_FRAMES / vector,
  };
}

/** As a merge does: the memory of the sum is part of it. */
function meanOf(parameters: number, frames: readonly Uint8Array<ArrayBuffer>[]): Float32Array {
  const mean = new WeightedMean(
    parameters,
    frames.map(() => 1),
  );
  for (const frame of frames) mean.add(frame, 1);
  return mean.values;
}

/** Values that a frame sets. */
function entriesOf(frame: Uint8Array<ArrayBuffer>, parameters: number): number {
  const payload = new DataView(frame.buffer, frame.byteOffset + 16);
  const [chunk, k] = [payload.getUint16(0, true), payload.getUint16(2, true)];
  return Math.floor(parameters / chunk) * k + Math.min(k, parameters % chunk);
}

/**
 * Milliseconds of processor time, so that other processes do not count: the median of a few rounds, after as many as it
 * takes until V8 has compiled all of it, as it has in a thread that merges version after version.
 */
function median(work: () => unknown): number {
  for (let round = 0; round < WARM_UP; round++) work();
  const times = Array.from({ length: ROUNDS }, () => {
    const began = process.cpuUsage();
    work();
    return process.cpuUsage(began).user / 1_000;
  });
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}
