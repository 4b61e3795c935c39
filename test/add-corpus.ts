import { join } from "node:path";
import { utf8 } from "../protocol/bytes.ts";
import { addCorpus } from "../server/corpus/add.ts";
import type { AddOptions } from "../server/corpus/options.ts";
import { prose, quickDisk, stream } from "./corpus-fixture.ts";

/** The text that is added unless a test says otherwise. */
export const text = prose(40_000);

export type Change = Partial<AddOptions>;

/** Adds `text`, with changes, to `data` in `dir`. */
export const add = (dir: string, change: Change = {}) =>
  addCorpus({
    files: ["-"],
    stdin: stream(utf8(text)),
    dataDir: join(dir, "data"),
    vocabulary: 300,
    shardTokens: 4_096,
    disk: quickDisk,
    ...change,
  });

/** A tokenizer.json of 256 bytes and one more token with the given id. */
export function tokenizerWith(id: number): Record<string, unknown> {
  const level = { type: "ByteLevel", add_prefix_space: false };
  const vocab = { a: 0, e: 1 };
  return {
    added_tokens: [{ id, content: "<|end|>", special: true }],
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: { type: "BPE", unk_token: "<|end|>", vocab, merges: [] },
  };
}
