import type { Trainer } from "../../model/contract/trainer.ts";
import { batchesOf } from "../../model/data/batches.ts";

/** A few steps of the server's own. */
export interface DirectionJob {
  /** The weights of the newest version, flat. */
  readonly weights: Float32Array;
  /** Of each step. */
  readonly rates: readonly number[];
  readonly batch: number;
  /** Draws the text: nobody can know it before. */
  readonly seed: number;
}

/**
 * Where gate text would lead a version's weights: loaded minus trained, as a delta is. Volunteers' deltas from other
 * text agree with it little, but hardly an honest one opposes it (trust/weigh.ts).
 */
export async function direct(
  trainer: Trainer,
  gate: Uint16Array,
  context: number,
  { weights, rates, batch, seed }: DirectionJob,
): Promise<Float32Array> {
  await trainer.load(weights);
  const range = { window: seed, seed, steps: rates.length, batch };
  let step = 0;
  for (const tokens of batchesOf(gate, range, context)) await trainer.step(tokens, batch, rates[step++]!);
  return trainer.delta();
}
