import type { Progress } from "./options.ts";

/** The job of the thread that makes a corpus. */
export interface CorpusJob {
  readonly dataDir: string;
  /** The text's file, or the book that comes with the program. */
  readonly file: string | "moby-dick";
  readonly vocabulary: number;
  readonly context: number;
  /** Bytes that a text may have, once it is unpacked too. */
  readonly maxTextBytes: number;
  /** For text that is added to what the directory has: it has its vocabulary. */
  readonly beside?: { readonly name: string; readonly weight: number; readonly duplicates: "keep" | "drop" };
}

/** Its messages. */
export type FromCorpusThread =
  | { readonly type: "progress"; readonly progress: Progress }
  | { readonly type: "made" }
  | { readonly type: "failed"; readonly code: string; readonly message: string };
