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

  add(delta: Float32Array, weight: number): void {
    const { values } = this;
    if (delta.length !== values.length) throw new RangeError(`${delta.length} values, not ${values.length}`);
    const share = Math.fround(weight / this.#total);
    for (let i = 0; i < values.length; i++) values[i] = values[i]! + Math.fround(share * delta[i]!);
  }
}
