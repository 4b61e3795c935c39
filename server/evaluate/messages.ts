import type { AuditJob } from "../../model/audit/measure.ts";
import type { ModelShape } from "../../model/contract/config.ts";
import type { TrainerOptions } from "../../model/contract/trainer.ts";
import type { Evidence } from "../trust/audit.ts";
import type { DirectionJob } from "./direct.ts";
import type { EffectsJob } from "./effects.ts";
import type { Evaluation, WritingOrder, Written } from "./ports.ts";
import type { ChoiceQuestion } from "./questions.ts";

/** The data that the worker is started with. */
export interface WorkerData {
  readonly shape: ModelShape;
  /** tokenizer.json. */
  readonly tokenizer: Uint8Array;
  /** The slice that every version is measured on (slice.ts): windows of context + 1 tokens. */
  readonly windows: readonly Uint16Array[];
  /** Windows of held-out text that was added since; absent where none was. */
  readonly added?: readonly Uint16Array[];
  /** The first tokens of the held-out text: what samples go on from. */
  readonly prompt: Uint16Array;
  /** The operator's beginnings, which every version goes on from. */
  readonly prompts: readonly string[];
  /** Questions that every version answers. */
  readonly questions: readonly ChoiceQuestion[];
}

/** One version to measure. */
export interface Question {
  readonly version: number;
  /** Flat, in the layout's order. */
  readonly weights: Float32Array;
}

/** A text to be written; without weights, where the thread may have the version loaded. */
export interface Writing {
  readonly write: WritingOrder;
  readonly version: number;
  /** One 32-bit number, which both threads see: not 0 once nobody reads the text any more. */
  readonly left: SharedArrayBuffer;
  readonly weights?: Float32Array;
}

/** What a thread says while it answers. */
export interface Part {
  readonly part: string;
}

/** Its answer: a loss and what it writes, or why there is none. Of a text: how it ended, or that weights are missing. */
export type Answer =
  | { readonly wrote: Written }
  | { readonly missing: "weights" }
  | ({ readonly version: number } & Evaluation)
  | { readonly version: number; readonly error: string };

/** The data that the auditor's worker is started with: the run's optimiser too, since it may recompute a ticket. */
export interface AuditorData {
  readonly options: TrainerOptions;
  /** Gate text, which no volunteer sees. */
  readonly gate: Uint16Array;
}

export type AuditQuestion =
  | { readonly examine: AuditJob }
  | { readonly direct: DirectionJob }
  | { readonly effects: EffectsJob };

export type AuditAnswer =
  | { readonly evidence: Evidence }
  | { readonly direction: Float32Array }
  | { readonly effects: readonly (readonly number[])[] }
  | { readonly error: string };
