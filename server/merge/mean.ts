import { addFrame } from "../../protocol/frame.ts";

/**
 * Running weighted mean of deltas, in plain f32 and in the order given, so that every machine gets the same
 * bytes: weights are divided by their sum first, each product and each sum is rounded to f32.
 */
export class WeightedMean {
  readonly values: Float32Array<ArrayBuffer>;
  readonly #total: number;

  /** `weights` are those of all deltas that will be added. Their sum must be positive. */
  constructor(length: number, weights: readonly number[]) {
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
    if (!(this.#total > 0)) throw new RangeError("a mean needs a positive weight");
    this.values = new Float32Array(length);
  }

  /** Adds a checked frame's delta. */
  add(frame: Uint8Array<ArrayBuffer>, weight: number): void {
    addFrame(frame, this.values, weight / this.#total);
  }
}
