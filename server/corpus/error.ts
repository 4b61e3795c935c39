import { systemCode } from "../../model/lib/system-code.ts";
export type CorpusErrorCode =
  /** Bytes that are not UTF-8; the message names source and byte offset. */
  | "not-utf8"
  /** No text in any source. */
  | "empty"
  /** A split holds less than one context of tokens. */
  | "too-short"
  /** A line of JSON without the text field, or a Parquet file without the column. */
  | "unknown-field"
  | "no-such-file"
  /** A file name whose ending says nothing we read. */
  | "unknown-type"
  /** A line that is not a JSON object; the message names source and line. */
  | "bad-json"
  | "bad-gzip"
  /** A Parquet file that is not whole, or claims what cannot be. */
  | "bad-parquet"
  /** One packed or encoded in a way that is not read; the message names it. */
  | "unknown-codec"
  /** Packed text that becomes more than it may. */
  | "too-large"
  /** A source that exists and cannot be read (a directory, no permission). */
  | "unreadable"
  | "no-space"
  /** The data directory cannot be written for another reason than space. */
  | "not-writable"
  /** A vocabulary out of bounds, or more than the text has pairs for. */
  | "bad-vocab"
  | "bad-tokenizer"
  /** The data directory already has a corpus or a run: one directory is one run. */
  | "corpus-exists"
  /** A server has the data directory: text comes in by its operator's page. */
  | "in-use"
  /** The data directory has no corpus.json. */
  | "no-corpus"
  /** A corpus.json, tokenizer.json or shard that is not what was written. */
  | "bad-corpus";

/** Why a corpus could not be made or read. The message is for the operator. */
export class CorpusError extends Error {
  override readonly name = "CorpusError";
  readonly code: CorpusErrorCode;

  constructor(code: CorpusErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Whether a write failed because there is no room for it: the disk, a quota, or what a file may have. */
export const isFull = (error: unknown): boolean =>
  ["ENOSPC", "EDQUOT", "EFBIG"].includes(systemCode(error) ?? "");
