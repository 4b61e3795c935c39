import type { ModelShape } from "../../model/config.ts";

/** What the worker is started with. */
export interface WorkerData {
  readonly shape: ModelShape;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array;
  /** The slice that every version is measured on (slice.ts): windows of context + 1 tokens. */
  readonly windows: readonly Uint16Array[];
  /** The first tokens of the held-out text: what samples go on from. */
  readonly prompt: Uint16Array;
}

/** One version to measure. */
export interface Question {
  readonly version: number;
  /** Flat, in the layout's order. */
  readonly weights: Float32Array;
}

/** What came of it: a loss and a sample, or why not. */
export type Answer =
  | { readonly version: number; readonly loss: number; readonly sample: string }
  | { readonly version: number; readonly error: string };
