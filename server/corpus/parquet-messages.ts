import type { CorpusErrorCode } from "./error.ts";

/** What the process that reads a Parquet file gets as its arguments. */
export type ParquetArguments = readonly [file: string, name: string, column: string];

/** Where it says what it finds. Node makes the standard output one that does not wait for whoever reads it; this one does. */
export const TEXTS_FD = 3;

/** What it says, as lines of JSON: a text, that a row has none, how much of the file is done, or why it cannot go on. */
export type FromParquetProcess =
  | string
  | { readonly type: "null"; readonly row: number }
  | { readonly type: "progress"; readonly at: number }
  | { readonly type: "end" }
  | { readonly type: "failed"; readonly code: CorpusErrorCode; readonly message: string };
