import { readFile } from "node:fs/promises";
import { messageOf } from "../../model/lib/message-of.ts";
import { systemCode } from "../../model/lib/system-code.ts";
import { MAX_WEIGHT, MIN_WEIGHT } from "../../protocol/added-text.ts";
import {
  as,
  asArray,
  asInteger,
  asNumber,
  asObject,
  asText,
  type Json,
  parseJson,
} from "../../protocol/guards.ts";
import { type Hash, isHash } from "../../protocol/ids.ts";
import { MAX_SHARD_TOKENS, MAX_VOCABULARY, MIN_VOCABULARY } from "../../protocol/limits.ts";
import type { Baselines } from "./baselines.ts";
import { CorpusError } from "./error.ts";
import type { Split } from "./split.ts";
import type { ShardEntry } from "./writer.ts";

/** Number in corpus.json that says how to read it. */
export const CORPUS_FORMAT = 1;

/** The content of corpus.json: the shards of each split. */
export interface CorpusIndex {
  readonly format: typeof CORPUS_FORMAT;
  /** SHA-256 of tokenizer.json. */
  readonly tokenizer: Hash;
  readonly vocabulary: number;
  /** The shards of each split, in the order of the text. */
  readonly splits: Readonly<Record<Split, readonly ShardEntry[]>>;
  /** Tokens of all splits together. */
  readonly tokens: number;
  /** Bytes of text (UTF-8) of all splits together. */
  readonly bytes: number;
  /** Where the text came from: file names without folders, and the bytes read from each. */
  readonly sources: readonly { readonly name: string; readonly bytes: number }[];
  readonly baselines: Baselines;
  /** Passages that were there before; absent in a corpus of an earlier release. */
  readonly duplicates?: Duplicates;
}

/** Passages that had come before in the text, and their bytes (UTF-8). */
export interface Duplicates {
  readonly passages: number;
  readonly bytes: number;
}

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
  asInteger(json.format, "format", CORPUS_FORMAT, CORPUS_FORMAT);
  const splits = asObject(json.splits, "splits");
  const baselines = asObject(json.baselines, "baselines");
  const nats = (value: unknown, field: string) => asNumber(value, `baselines.${field}`, 0, 100);
  const sources = asArray(json.sources, "sources", MAX_LISTED).map((value, i) => {
    const source = asObject(value, `sources[${i}]`);
    return {
      name: asText(source.name, `sources[${i}].name`, 1_000),
      bytes: asInteger(source.bytes, `sources[${i}].bytes`, 0, Number.MAX_SAFE_INTEGER),
    };
  });
  const index: CorpusIndex = {
    format: CORPUS_FORMAT,
    tokenizer: as(isHash, json.tokenizer, "tokenizer"),
    vocabulary: asInteger(json.vocabulary, "vocabulary", MIN_VOCABULARY, MAX_VOCABULARY),
    splits: {
      train: shardsFrom(splits.train, "splits.train"),
      gate: shardsFrom(splits.gate, "splits.gate"),
      heldOut: shardsFrom(splits.heldOut, "splits.heldOut"),
    },
    tokens: asInteger(json.tokens, "tokens", 1, Number.MAX_SAFE_INTEGER),
    bytes: asInteger(json.bytes, "bytes", 1, Number.MAX_SAFE_INTEGER),
    sources,
    baselines: {
      uniform: nats(baselines.uniform, "uniform"),
      unigram: nats(baselines.unigram, "unigram"),
      bigram: nats(baselines.bigram, "bigram"),
    },
    ...(json.duplicates !== undefined && { duplicates: duplicatesFrom(json.duplicates) }),
  };
  const counted = Object.values(index.splits).flat();
  const tokens = counted.reduce((sum, entry) => sum + entry.tokens, 0);
  asInteger(index.tokens, "tokens", tokens, tokens);
  return index;
}

function duplicatesFrom(value: unknown): Duplicates {
  const json = asObject(value, "duplicates");
  return {
    passages: asInteger(json.passages, "duplicates.passages", 0, Number.MAX_SAFE_INTEGER),
    bytes: asInteger(json.bytes, "duplicates.bytes", 0, Number.MAX_SAFE_INTEGER),
  };
}

/** Shards or sources in one corpus: at the default size of a shard, 2 TB of tokens. */
const MAX_LISTED = 1 << 24;

function shardsFrom(value: unknown, field: string): ShardEntry[] {
  const entries = asArray(value, field, MAX_LISTED).map((item, i) => {
    const entry = asObject(item, `${field}[${i}]`);
    const { weight } = entry;
    return {
      hash: as(isHash, entry.hash, `${field}[${i}].hash`),
      tokens: asInteger(entry.tokens, `${field}[${i}].tokens`, 1, MAX_SHARD_TOKENS),
      ...(weight !== undefined && {
        weight: asNumber(weight, `${field}[${i}].weight`, MIN_WEIGHT, MAX_WEIGHT),
      }),
    };
  });
  asInteger(entries.length, `${field}.length`, 1, MAX_LISTED);
  return entries;
}
