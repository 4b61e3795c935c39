import type { RecordPlace } from "../store/store.ts";
import type { Merged, MergeRule, Vectors } from "./merge.ts";

/** Messages to the merging thread: a job's beginning, its frames in order, its end. */
export type ToMerger =
  | {
      readonly type: "begin";
      /** Left out where the thread's own last result is the version before. */
      readonly vectors?: Vectors;
      readonly rule: Omit<MergeRule, "orthogonalize">;
      readonly weights: readonly number[];
      /** Bytes before the new x. */
      readonly lead: number;
      /** Where all the frames lie; without it they come one by one. */
      readonly places?: readonly RecordPlace[];
    }
  | { readonly type: "frame"; readonly frame: Uint8Array<ArrayBuffer> }
  | { readonly type: "finish" };

/** Its answers: `added` to every frame, then one of the others; `working` between pieces of long work. */
export type FromMerger =
  | { readonly type: "working" }
  | { readonly type: "added" }
  | { readonly type: "merged"; readonly merged: Merged }
  | { readonly type: "failed"; readonly error: string };
