import type { ModelShape } from "../protocol/model.ts";

export type { ModelShape };

/** What AdamW needs to know (Loshchilov & Hutter 2017, with the gradient's norm clipped first). */
export interface AdamW {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly clip: number;
}

/** A shape and an optimiser that no arithmetic here can handle. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export type ModelErrorCode =
  | "bad-shape"
  | "bad-token"
  | "bad-weights"
  | "bad-file"
  | "device-unavailable"
  | "device-limit"
  | "device-lost"
  | "device-wrong";
