import type { AuditJob } from "../../model/audit/measure.ts";
import type { Hash } from "../../protocol/ids.ts";
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

/** How a version's weights can be put together out of what is stored: a version that is stored whole, and the diffs from there. */
export interface ModelPlace {
  readonly version: number;
  readonly hash: Hash;
  readonly from: { readonly version: number; readonly hash: Hash };
  /** The hash of each diff, in order. */
  readonly diffs: readonly Hash[];
}

/** An audit by names of what it needs, for somebody elsewhere; it never trains for comparison. See {@link AuditJob}. */
export interface AuditOrder extends Pick<AuditJob, "ticket" | "seed" | "batches"> {
  readonly model: ModelPlace;
  readonly shard: Hash;
  /** The delta as it was sent, and the part of it that is merged. */
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly scale: number;
}

/** Other servers of the run that take work off this one. Whatever is not done there is done here. */
export interface Helpers {
  /** Audits that may be under way at once: one here, and one with each who takes them. */
  readonly audits: number;
  /** Undefined where nobody has made it in time. Never rejects. */
  audit(order: AuditOrder): Promise<{ readonly evidence: Evidence; readonly who: string } | undefined>;
  evaluate(model: ModelPlace): Promise<{ readonly evaluation: Evaluation; readonly who: string } | undefined>;
  /** The same question has another answer here: `who` computes wrong. */
  distrust(who: string): void;
}
