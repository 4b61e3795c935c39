import type { ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";

/** FLOP of a training step, roughly: 6 a parameter and token, and attention's products on top. */
export function flopsOfStep(shape: ModelShape, batch: number): number {
  const { layers, width, context } = shape;
  return batch * context * (6 * layoutOf(shape).length + 6 * layers * width * context);
}
