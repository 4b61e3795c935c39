import type { ModelShape } from "../../protocol/model.ts";

export type { ModelShape };

/**
 * AdamW (Loshchilov & Hutter 2017, Algorithm 2), the same on every engine: g ← g · min(1, clip ÷ ‖g‖) over
 * all tensors at once; m ← β₁m + (1 − β₁)g; v ← β₂v + (1 − β₂)g²; w ← w − rate · (m̂ ÷ (√v̂ + ε) + decay · w)
 * with m̂ = m ÷ (1 − β₁ᵗ), v̂ = v ÷ (1 − β₂ᵗ), t from 1. Decay pulls where layout.ts says so.
 */
export interface AdamW {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Largest norm of the whole gradient; above 0. */
  readonly clip: number;
}

/** AdamW for everything, or Muon (muon.ts) for the hidden matrices and AdamW for the rest. */
export type Inner = "adamw" | "muon";

/** The inner optimiser of a run. */
export interface Optimizer extends AdamW {
  /** Absent: "adamw". */
  readonly inner?: Inner;
}

/** A refusal of model/, with a stable code and a message for a person. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type ModelErrorCode =
  /** A model's shape, a batch or a sampling that means nothing. */
  | "bad-shape"
  /** A token id outside the vocabulary. */
  | "bad-token"
  /** Weights or moments of a wrong length, or not finite. */
  | "bad-weights"
  /** Training produced invalid numbers (NaN or infinity). */
  | "not-finite"
  /** Not a snapshot or tokenizer of ours. */
  | "bad-file"
  /** The device is not there or does not start. */
  | "device-unavailable"
  /** The device is too small. */
  | "device-limit"
  /** The device went away, or its trainer was disposed of. */
  | "device-lost"
  /** The device computes wrong numbers. */
  | "device-wrong";
