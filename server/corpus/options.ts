import type { Disk } from "./disk.ts";
import type { StreamedSource } from "./read.ts";

export interface AddOptions {
  /** Names of files that are read (text-types.ts); `-` is {@link stdin}. Read in this order. */
  readonly files: readonly string[];
  /** What they are called in the corpus, in their order: their own names where nothing is said. */
  readonly names?: readonly string[] | undefined;
  readonly dataDir: string;
  /** Size of the byte-level BPE to train, 256 to 65,536. Ignored with {@link tokenizer}. */
  readonly vocabulary: number;
  /** A tokenizer.json to use instead of training one. */
  readonly tokenizer?: string | undefined;
  /** The field of a JSON line, or the column of a Parquet file, that holds the text. */
  readonly field?: string | undefined;
  /** How often the text of each file comes in an epoch, in their order: 1 where nothing is said. */
  readonly weights?: readonly number[] | undefined;
  /** Whether passages that came before, here or in the text that is there, stay in. */
  readonly duplicates?: "keep" | "drop" | undefined;
  /** Tokens of one context: each split must hold at least one, and the last target after it. */
  readonly context?: number | undefined;
  /** Tokens of one shard. */
  readonly shardTokens?: number | undefined;
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** Whether `-` is plain text (the default) or JSON lines. */
  readonly stdinKind?: StreamedSource["kind"] | undefined;
  /** Leaves lines of JSON and rows without text out, and says how many; without it the first such line ends the work. */
  readonly skipBadLines?: boolean | undefined;
  /** Hears what the operator should know of a corpus that is made nevertheless. */
  readonly onWarning?: ((line: string) => void) | undefined;
  /** Hears of every step. What it throws ends the work like any failure. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly disk?: Disk | undefined;
  /** Bytes that the text of one packed file may have, where others than this machine's owner bring it. */
  readonly maxTextBytes?: number | undefined;
}

export interface Progress {
  readonly stage: "comparing" | "reading" | "counting" | "merging" | "encoding";
  readonly done: number;
  /** Undefined where the end is not known, as with a stream. Bytes, tokens or merges. */
  readonly total: number | undefined;
}
