import type { Progress } from "./add.ts";

/** What the thread that makes a corpus is told. */
export interface CorpusJob {
  readonly dataDir: string;
  /** The text's file, or the book that comes with the program. */
  readonly file: string | "moby-dick";
  readonly vocabulary: number;
  readonly context: number;
  /** Bytes that a text may have, once it is unpacked too. */
  readonly maxTextBytes: number;
}

/** What it says. */
export type FromCorpusThread =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "made" }
  | { readonly type: "failed"; readonly code: string; readonly message: string };
