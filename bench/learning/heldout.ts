import type { Trainer } from "../../model/contract/trainer.ts";
import { batched, heldOutSlice } from "../../server/evaluate/slice.ts";

/** Tokens of the slices that the curve and the end of a run are measured on; the same for every run. */
const CURVE_TOKENS = 16_384;
const FINAL_TOKENS = 131_072;
const SLICE_SEED = 7;

/** Measures held-out loss on the product's kind of slice: `rough` for the curve, `final` for the table. */
export function heldOutMeter(
  trainer: Trainer,
  text: Uint16Array,
  context: number,
  batch: number,
  measured?: number,
) {
  const slice = (tokens: number) =>
    batched(heldOutSlice(text, context, Math.floor(tokens / context), SLICE_SEED), batch);
  const slices = { rough: slice(measured ?? CURVE_TOKENS), final: slice(measured ?? FINAL_TOKENS) };
  return async (weights: Float32Array, kind: "rough" | "final"): Promise<number> => {
    await trainer.load(weights);
    let loss = 0;
    let rows = 0;
    for (const part of slices[kind]) {
      loss += part.rows * (await trainer.evaluate(part.tokens, part.rows));
      rows += part.rows;
    }
    return loss / rows;
  };
}
