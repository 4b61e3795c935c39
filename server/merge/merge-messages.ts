import type { Hash } from "../../protocol/ids.ts";
import type { FramePlace } from "../store/block-reader.ts";
import type { RecordPlace } from "../store/store.ts";
import type { MergeRule, Part, Step } from "./step.ts";

/** A block of the journal, where it goes in the frames' memory, and which of its records are wanted. */
export interface WantedBlock {
  readonly place: RecordPlace;
  readonly at: number;
  readonly records: readonly number[];
}

/** A frame in the frames' memory, and its share of the mean. */
export interface SharedFrame extends FramePlace {
  readonly share: number;
}

/** What a merging thread is asked, one thing at a time. All memory in it is shared by the pool's threads. */
export type ToMerger =
  | {
      readonly type: "begin";
      readonly rule: Omit<MergeRule, "orthogonalize">;
      readonly step: Step;
      /** This thread's. */
      readonly part: Part;
    }
  | { readonly type: "read"; readonly memory: Uint8Array; readonly blocks: readonly WantedBlock[] }
  | { readonly type: "add"; readonly memory: Uint8Array; readonly frames: readonly SharedFrame[] }
  | { readonly type: "gather" }
  | { readonly type: "turn"; readonly matrix: number }
  | { readonly type: "finish"; readonly deltas: number }
  /** For one thread: copies of what the process needs in memory that is not shared. */
  | { readonly type: "copy"; readonly head: Uint8Array | undefined };

/** Its answer, and the milliseconds of processor time that it took. */
export type FromMerger =
  | { readonly type: "done"; readonly ms: number }
  | { readonly type: "read"; readonly ms: number; readonly frames: readonly (readonly FramePlace[])[] }
  | {
      readonly type: "copied";
      readonly ms: number;
      readonly x: Float32Array<ArrayBuffer>;
      readonly diff: Uint8Array<ArrayBuffer>;
      /** SHA-256 of the file that is made around x, where one is. */
      readonly model: Hash | undefined;
    }
  | { readonly type: "failed"; readonly error: string };
