import { WeightedMean } from "../../server/merge/mean.ts";

/** Deltas decoded in turn: more than a processor's caches hold, as in a merge. */
const FRAMES = 48;
const ROUNDS = 5;

/**
 * How many times as long decoding a delta and adding it to a sum takes as copying f32 values: as many as the
 * delta lists, and as many as the vector has. Medians; copies go through memory that is not in the cache either.
 */
export function mergeOverMemcpy(
  parameters: number,
  frame: () => Uint8Array<ArrayBuffer>,
): { entries: number; vector: number } {
  const frames = Array.from({ length: FRAMES }, frame);
  const listed = entriesOf(frames[0]!, parameters);
  const from = new Float32Array(listed * FRAMES).fill(1);
  const to = new Float32Array(listed * FRAMES);
  const decode = median(() => {
    const mean = new WeightedMean(parameters, [FRAMES]);
    for (const one of frames) mean.add(one, 1);
    return mean.values;
  });
  const copy = median(() => {
    for (let i = 0; i < FRAMES; i++) to.set(from.subarray(i * listed, (i + 1) * listed), i * listed);
  });
  const sum = new Float32Array(parameters).fill(1);
  const whole = sum.slice();
  const vector = median(() => whole.set(sum));
  return { entries: decode / copy, vector: decode / FRAMES / vector };
}

/** Values that a frame sets. */
function entriesOf(frame: Uint8Array<ArrayBuffer>, parameters: number): number {
  const payload = new DataView(frame.buffer, frame.byteOffset + 16);
  const [chunk, k] = [payload.getUint16(0, true), payload.getUint16(2, true)];
  return Math.floor(parameters / chunk) * k + Math.min(k, parameters % chunk);
}

/** Milliseconds of processor time, so that other processes do not count: the median of a few rounds after one. */
function median(work: () => unknown): number {
  work();
  const times = Array.from({ length: ROUNDS }, () => {
    const began = process.cpuUsage();
    work();
    return process.cpuUsage(began).user / 1_000;
  });
  return times.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}
