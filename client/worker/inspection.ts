import type { Shown } from "./inside.ts";
import type { DeltaPicture, Inside } from "./messages.ts";

/** Multiply-adds that a look may take: about a second of plain JavaScript. */
const LOOK_COST = 1e9;
/** Tokens of a passage that a look reads: what fits side by side in a page. */
const MAX_TOKENS = 32;
/** Tokens that must be readable within that cost, or the model is not looked into. */
const MIN_TOKENS = 8;
/** Deltas of larger models are not pictured: decoding one again would cost training time. */
const MAX_PARAMETERS = 8_000_000;

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
  async delta(): Promise<DeltaPicture | undefined> {
    const weights = this.#shown?.weights;
    if (this.#frame === undefined || weights === undefined || weights.length > MAX_PARAMETERS)
      return undefined;
    const { frame, steps } = this.#frame;
    const { deltaPicture } = await import("./inside.ts");
    return deltaPicture(frame, weights, steps);
  }
}
