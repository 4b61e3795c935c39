import { addFrames } from "../../protocol/frame.ts";

/** Frames added in one go: stretch by stretch, each waits for memory once in so many (10M values: twice as fast as 32). */
const MAX_WAITING = 96;
/** Bytes of frames that wait, so that dense ones of a large model do not fill the memory. */
const MAX_BYTES = 32 * 1024 * 1024;

/**
 * Running weighted mean of deltas, in plain f32 and in the order given, so that every machine gets the same
 * bytes: weights are divided by their sum, or by more, first; each product and each sum is rounded to f32.
 */
export class WeightedMean {
  readonly #values: Float32Array<ArrayBuffer>;
  readonly #total: number;
  #waiting: { readonly frame: Uint8Array<ArrayBuffer>; readonly share: number }[] = [];
  #bytes = 0;

  /**
   * `weights` are those of all deltas that will be added. They are divided by `total`, or by their sum where none is given,
   * which must be positive.
   */
  constructor(length: number, weights: readonly number[], total?: number) {
    this.#total = total ?? weights.reduce((sum, weight) => sum + weight, 0);
    if (!(this.#total > 0)) throw new RangeError("a mean needs a positive weight");
    this.#values = new Float32Array(length);
  }

  /** Adds a checked frame's delta; the frame must stay as it is until {@link values} is read. */
  add(frame: Uint8Array<ArrayBuffer>, weight: number): void {
    this.#waiting.push({ frame, share: weight / this.#total });
    this.#bytes += frame.length;
    if (this.#waiting.length >= MAX_WAITING || this.#bytes >= MAX_BYTES) this.#flush();
  }

  /** The mean of what was added. */
  get values(): Float32Array<ArrayBuffer> {
    this.#flush();
    return this.#values;
  }

  #flush(): void {
    addFrames(this.#waiting, this.#values);
    this.#waiting = [];
    this.#bytes = 0;
  }
}
