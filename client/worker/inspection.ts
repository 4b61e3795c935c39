import { decodeFrame } from "../../protocol/frame.ts";
import type { Shown } from "./inside.ts";
import type { DeltaPicture, Inside } from "./messages.ts";

/** Multiply-adds that a look may take: about a second of plain JavaScript. */
const LOOK_COST = 1e9;
/** Tokens of a passage that a look reads: what fits beside each other in a page. */
const MAX_TOKENS = 32;
/** Tokens that must be readable within that cost, or the model is not looked into. */
const MIN_TOKENS = 8;
/** Deltas of larger models are not pictured: decoding one again would cost training time. */
const MAX_PARAMETERS = 8_000_000;
/** Bars of the picture of a delta, an odd number so that one stands for no change. */
const BARS = 21;

/**
 * A visitor's look into the running trainer: what the current weights attend to in the current passage, where
 * tokens lie, and what the last delta looked like. Computed in the Worker and only when the page asks, from
 * the copy of the weights that is there anyway.
 */
export class Inspection {
  #shown: Shown | undefined;
  #frame: { readonly frame: Uint8Array<ArrayBuffer>; readonly steps: number } | undefined;

  /** Remembers what was just shown. */
  show(shown: Shown): void {
    this.#shown = { ...shown, tokens: shown.tokens.slice() };
  }

  /** Remembers a delta's frame as it was sent. */
  sent(frame: Uint8Array<ArrayBuffer>, steps: number): void {
    this.#frame = { frame, steps };
  }

  /** The inside of the model reading the newest passage; undefined before the first, or where it would take too long. */
  async look(): Promise<Inside | undefined> {
    const shown = this.#shown;
    if (shown === undefined) return undefined;
    const affordable = Math.floor(LOOK_COST / shown.weights.length);
    if (affordable < MIN_TOKENS) return undefined;
    const { insideOf } = await import("./inside.ts");
    return insideOf({ ...shown, tokens: shown.tokens.subarray(0, Math.min(MAX_TOKENS, affordable)) });
  }

  /** The last delta, beside the weights it changes; undefined before the first was sent. */
  delta(): DeltaPicture | undefined {
    const weights = this.#shown?.weights;
    if (this.#frame === undefined || weights === undefined || weights.length > MAX_PARAMETERS)
      return undefined;
    const { frame, steps } = this.#frame;
    return deltaPicture(decodeFrame(frame, weights.length), weights, frame.length, steps);
  }
}

/** Counts a delta's values in bars from the most negative to the most positive, and compares it to the weights. */
export function deltaPicture(
  delta: Float32Array,
  weights: Float32Array,
  bytes: number,
  steps: number,
): DeltaPicture {
  let largest = 0;
  let changed = 0;
  let squares = 0;
  for (const value of delta) {
    largest = Math.max(largest, Math.abs(value));
    squares += value * value;
    if (value !== 0) changed++;
  }
  const bars = new Array<number>(BARS).fill(0);
  for (const value of delta) {
    bars[Math.round(((largest === 0 ? 0 : value / largest) + 1) * ((BARS - 1) / 2))]! += 1;
  }
  const size = Math.sqrt(weights.reduce((sum, value) => sum + value * value, 0));
  return {
    bytes,
    plainBytes: weights.length * Float32Array.BYTES_PER_ELEMENT,
    parameters: weights.length,
    changed,
    steps,
    ratio: size === 0 ? 0 : Math.sqrt(squares) / size,
    largest,
    bars,
  };
}
