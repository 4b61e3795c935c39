import type { Inner, ModelShape } from "../../model/contract/config.ts";
import { layoutOf } from "../../model/contract/layout.ts";
import { flopsOf } from "../../model/engine/flops.ts";
import type { Machine } from "./scenarios.ts";

/**
 * FLOP that take as long as the update does, a parameter and step: the norm, AdamW and the gradient's zeros move memory,
 * whatever the batch. Measured on one thread of WASM, as is the next (docs/LEARNING.md).
 */
const UPDATE_FLOPS = 80;
/** Time of a FLOP of Newton–Schulz, over that of any other. */
const NEWTON_SCHULZ_COST = 1.15;

/**
 * Milliseconds of one training step of `batch` sequences: what the sequences cost, and what a step costs whatever its
 * batch. So small batches are a little dearer a token, and with Muon inside much dearer.
 */
export function stepMs(machine: Machine, shape: ModelShape, batch: number, inner: Inner): number {
  const update = UPDATE_FLOPS * layoutOf(shape).length;
  const turn = inner === "muon" ? NEWTON_SCHULZ_COST * newtonSchulzFlops(shape) : 0;
  return (flopsOfStep(shape, batch) + update + turn) / machine.flopsPerMs;
}

/** FLOP of `batch` sequences, roughly: 6 a parameter and token, and attention's products on top. */
function flopsOfStep(shape: ModelShape, batch: number): number {
  const { layers, width, context } = shape;
  return batch * context * (6 * layoutOf(shape).length + 6 * layers * width * context);
}

const newtonSchulzFlops = (shape: ModelShape): number => flopsOf(shape, 1, "muon") - flopsOf(shape, 1);
