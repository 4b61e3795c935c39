import type { CodecSpec, MidriseBits } from "../../protocol/codec/codec.ts";
import type { Slot } from "./ops.ts";

/**
 * Ops that turn a trained model into a payload, once a ticket: not part of a step, and a device may run it with bindings
 * of its own. The results are exact, the same bytes on each device (those of protocol/codec).
 */
export type ExtractionOp = Collect | Encode;

/** residual = (loaded − parameters) + residual, each operation rounded to f32: the total to be sent. */
export interface Collect {
  readonly op: "collect";
  readonly loaded: Slot;
  readonly parameters: Slot;
  readonly residual: Slot;
}

/**
 * payload = the codec's bytes (protocol/codec) of what `residual` holds, which then holds what they leave out:
 * value − code·scale, exact in f32. With C the largest code and L the largest magnitude of a block, or of a chunk, the
 * scale is the smallest bf16 with scale·C ≥ L, or 0 where L < C·2⁻¹⁰⁰; a code is the integer nearest to value ÷ scale,
 * halves going up. Of a chunk the k largest magnitudes are taken, of equal ones the first. Fails where a value is
 * not finite. The payload lies where the gradients were, free between steps.
 */
export interface Encode {
  readonly op: "encode";
  readonly codec: CodecSpec;
  readonly residual: Slot;
  /** As many words as hold the payload's bytes. */
  readonly payload: Slot;
}

/** Scales in a block's largest magnitude under `midrise`, by the bits of a code: protocol/codec's. */
export const MIDRISE_SPAN: Readonly<Record<MidriseBits, number>> = { 1: 3, 2: 5, 3: 9 };
