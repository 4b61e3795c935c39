import type { Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";
import { decodeFrame } from "../../protocol/frame.ts";
import type { Part } from "../trust/places.ts";

/** Deltas of one version whose effect on gate text is asked for. */
export interface EffectsJob {
  /** Half-way from the version before to the one that the deltas were merged into, flat. */
  readonly weights: Float32Array;
  readonly frames: readonly Uint8Array<ArrayBuffer>[];
  /** Parts of the flat vector, whose effects are measured apart. */
  readonly parts: readonly Part[];
  /** Sequences of a micro-batch, and how many of those of gate text. */
  readonly batch: number;
  readonly batches: number;
  /** Draws the text: nobody can know it before. */
  readonly seed: number;
}

/**
 * By how much each part of each delta lowers the loss on gate text, nats a token times a factor that is the same for all:
 * leave-one-out to first order, by the gradient half-way through the merge. One gradient serves a version of any size, where a loss
 * without each delta would cost a pass each. `trainer` must be AdamW's, since its first moment is the gradient.
 */
export async function effectsOf(
  trainer: Trainer,
  gate: Uint16Array,
  context: number,
  { weights, frames, parts, batch, batches, seed }: EffectsJob,
): Promise<number[][]> {
  const range = { window: seed, seed, steps: batches, batch };
  const gradient = new Float32Array(weights.length);
  for (const tokens of batchesOf(gate, range, context)) {
    // Each from no moments: a gradient of more text is surer, and no longer.
    await trainer.load(weights);
    await trainer.step(tokens, batch, 0); // at rate 0 nothing moves
    await trainer.losses();
    const { m } = await trainer.carried();
    for (let i = 0; i < gradient.length; i++) gradient[i]! += m[i]! / batches;
  }
  return frames.map((frame) => {
    const delta = decodeFrame(frame, weights.length);
    return parts.map(({ offset, length }) => {
      let effect = 0;
      for (let i = offset; i < offset + length; i++) effect += gradient[i]! * delta[i]!;
      return effect;
    });
  });
}
