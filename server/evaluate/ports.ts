import type { AuditJob } from "../../model/audit/measure.ts";
import type { Evidence } from "../trust/audit.ts";
import type { DirectionJob } from "./direct.ts";
import type { EffectsJob } from "./effects.ts";

/** Held-out evaluation, beside the run: one call at a time, newest version first. */
export interface Evaluator {
  /** Mean loss in nats a token on a fixed slice, and a sample of what the model writes. */
  evaluate(version: number, weights: Float32Array<ArrayBuffer>): Promise<Evaluation>;
  /**
   * Has a version write on from a prompt; `part` gets the text as it comes. It ends early once `left` is aborted: nobody
   * reads it any more. Rejects with `too-many-requests` while anything else is done: it never makes an evaluation wait for
   * more than the one text that is being written.
   */
  readonly write?: (
    model: { readonly version: number; readonly weights: Float32Array<ArrayBuffer> },
    order: WritingOrder,
    part: (text: string) => void,
    left?: AbortSignal,
  ) => Promise<Written>;
}

/** A text to be written. */
export interface WritingOrder {
  readonly prompt: string;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly seed: number;
  /** Texts before which it ends. */
  readonly stop: readonly string[];
}

export interface Written {
  readonly promptTokens: number;
  readonly tokens: number;
  /** By a stop text, or because it is long enough or took too long. */
  readonly ended: "stop" | "length";
}

export interface Evaluation {
  readonly loss: number;
  /** Mean loss on held-out text that was added since the run began; absent where none was. */
  readonly added?: number;
  readonly sample: string;
  /** What it writes on from each of the run's prompts; absent where there are none. */
  readonly written?: readonly string[];
  /** Of the run's questions, those that it answered right; absent where there are none. */
  readonly right?: number;
}

/** Audits, beside the run: one call at a time. */
export interface Auditor {
  audit(job: AuditJob): Promise<Evidence>;
  /** Where gate text would lead a version's weights. */
  direct(job: DirectionJob): Promise<Float32Array>;
  /** What deltas of one version did to the loss on gate text, in their order, each by its parts. */
  effects(job: EffectsJob): Promise<readonly (readonly number[])[]>;
}
