import { join } from "node:path";
import { toTokens } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import type { Hash } from "../../protocol/ids.ts";
import { type Added, readAdded } from "./added.ts";
import { CorpusError } from "./error.ts";
import { type CorpusIndex, parseIndex, readPart } from "./index-file.ts";

/** A data directory's corpus. */
export interface Corpus {
  readonly index: CorpusIndex;
  /** Text that was added since, in its order. */
  readonly added: readonly Added[];
  /** tokenizer.json's bytes. */
  readonly tokenizer: Uint8Array<ArrayBuffer>;
  /** Whether a hash is one of the shards that volunteers may have. */
  isTrain(hash: Hash): boolean;
  /** The tokens of any split's shard. Throws `bad-corpus` for another hash, or when the file is not its hash. */
  readShard(hash: Hash): Promise<Uint16Array<ArrayBuffer>>;
}

/** Reads a data directory's corpus. Throws `no-corpus`, or `bad-corpus` when a file is not what it should be. */
export async function readCorpus(dataDir: string): Promise<Corpus> {
  const index = parseIndex(await readPart(join(dataDir, "corpus.json"), "no-corpus"));
  const tokenizer = await readPart(join(dataDir, "tokenizer.json"), "bad-corpus");
  if ((await sha256(tokenizer)) !== index.tokenizer) {
    throw new CorpusError(
      "bad-corpus",
      `${join(dataDir, "tokenizer.json")} is not the one the corpus was made with`,
    );
  }
  const added = await readAdded(dataDir, index.tokenizer);
  const parts = [index, ...added.map((one) => one.index)].map(({ splits }) => splits);
  const served = new Set(parts.flatMap(({ train }) => train.map(({ hash }) => hash)));
  const kept = new Set(parts.flatMap(({ gate, heldOut }) => [...gate, ...heldOut].map(({ hash }) => hash)));
  return {
    index,
    added,
    tokenizer,
    isTrain: (hash) => served.has(hash),
    async readShard(hash) {
      if (!served.has(hash) && !kept.has(hash)) {
        throw new CorpusError("bad-corpus", `the corpus has no shard ${hash}`);
      }
      const path = join(dataDir, "shards", hash);
      const bytes = await readPart(path, "bad-corpus");
      if ((await sha256(bytes)) !== hash) throw new CorpusError("bad-corpus", `${path} is not its hash`);
      return toTokens(bytes);
    },
  };
}
