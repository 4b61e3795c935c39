import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toTokens } from "../../protocol/bytes.ts";
import type { Hash } from "../../protocol/ids.ts";
import { openCorpus } from "../../server/app/run-corpus.ts";
import { addDefaultCorpus } from "../../server/corpus/default.ts";
import type { BenchCorpus } from "../learning/corpus.ts";

/** What a run without a text of its own trains on, and its gate text. */
export interface DefaultCorpus extends BenchCorpus {
  readonly gate: Uint16Array;
}

/** Makes the product's own default text, a novel in 512 tokens, and reads all of it. */
export async function defaultCorpus(): Promise<DefaultCorpus> {
  const directory = await mkdtemp(join(tmpdir(), "murmuration-bench-"));
  try {
    await addDefaultCorpus(directory);
    const { corpus, heldOut, gate } = await openCorpus(directory);
    const shards = new Map<Hash, Uint16Array>();
    for (const { hash } of corpus.train) shards.set(hash, toTokens(await corpus.shard(hash)));
    return {
      vocabulary: corpus.vocabulary,
      train: corpus.train,
      shard: (hash) => shards.get(hash)!,
      heldOut: await heldOut(),
      gate: await gate(),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
