import { readFile } from "node:fs/promises";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { MAX_WEIGHT, MIN_WEIGHT } from "../../protocol/added-text.ts";
import { asInteger, type Json, parseJson } from "../../protocol/guards.ts";
import { isHash } from "../../protocol/ids.ts";
import { MAX_SHARD_TOKENS, MAX_VOCABULARY, MIN_VOCABULARY } from "../../protocol/limits.ts";
import {
  count,
  id,
  integer,
  list,
  message,
  number,
  object,
  optional,
  type Reader,
  text,
} from "../../protocol/schema.ts";
import type { Baselines } from "./baselines.ts";
import { CorpusError } from "./error.ts";
import type { Split } from "./split.ts";
import type { ShardEntry } from "./writer.ts";

/** Number in corpus.json that says how to read it. */
export const CORPUS_FORMAT = 1;

/** Shards or sources in one corpus: at the default size of a shard, 2 TB of tokens. */
const MAX_LISTED = 1 << 24;

const entries = list(
  object({
    hash: id(isHash),
    tokens: integer(1, MAX_SHARD_TOKENS),
    weight: optional(number(MIN_WEIGHT, MAX_WEIGHT)),
  }),
  MAX_LISTED,
);
const shards: Reader<readonly ShardEntry[]> = (value, field) => {
  const read = entries(value, field);
  asInteger(read.length, `${field}.length`, 1, MAX_LISTED);
  return read;
};
const total = integer(1, Number.MAX_SAFE_INTEGER);
const nats = number(0, 100);

/** Passages that had come before in the text, and their bytes (UTF-8). */
const duplicates = object({ passages: count, bytes: count });
export type Duplicates = ReturnType<typeof duplicates>;

const index = message({
  format: integer(CORPUS_FORMAT, CORPUS_FORMAT),
  /** SHA-256 of tokenizer.json. */
  tokenizer: id(isHash),
  vocabulary: integer(MIN_VOCABULARY, MAX_VOCABULARY),
  /** The shards of each split, in the order of the text. */
  splits: object({ train: shards, gate: shards, heldOut: shards } satisfies Record<Split, unknown>),
  /** Tokens of all splits together. */
  tokens: total,
  /** Bytes of text (UTF-8) of all splits together. */
  bytes: total,
  /** Where the text came from: file names without folders, and the bytes read from each. */
  sources: list(object({ name: text(1_000), bytes: count }), MAX_LISTED),
  baselines: object({ uniform: nats, unigram: nats, bigram: nats } satisfies Record<
    keyof Baselines,
    unknown
  >),
  /** Passages that were there before; absent in a corpus of an earlier release. */
  duplicates: optional(duplicates),
});
/** The content of corpus.json: the shards of each split. */
export type CorpusIndex = ReturnType<typeof index>;

/** Reads a file of a corpus. Throws `bad-corpus` where it cannot be, and `missing` where it is not there. */
export async function readPart(
  path: string,
  missing: "no-corpus" | "bad-corpus",
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await readFile(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") throw new CorpusError(missing, `${path} is missing`);
    throw new CorpusError("bad-corpus", `${path} cannot be read (${code})`);
  }
}

/** Reads corpus.json, or the file of an added text. Throws `bad-corpus` naming the field. */
export function parseIndex(bytes: Uint8Array, name = "corpus.json"): CorpusIndex {
  try {
    return indexFrom(parseJson(bytes));
  } catch (error) {
    const why = messageOf(error);
    throw new CorpusError("bad-corpus", `${name} is not one of ours: ${why}`);
  }
}

function indexFrom(json: Json): CorpusIndex {
  const read = index(json);
  const counted = Object.values(read.splits).flat();
  const tokens = counted.reduce((sum, entry) => sum + entry.tokens, 0);
  asInteger(read.tokens, "tokens", tokens, tokens);
  return read;
}
