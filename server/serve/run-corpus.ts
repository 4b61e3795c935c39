import { bytesOf } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { readCorpus } from "../corpus/shards.ts";
import type { RunCorpus } from "../options.ts";

/** Held-out tokens that evaluation draws its windows from: 8 MB, however large the corpus. */
const MOST_HELD_OUT = 4 * 1024 * 1024;

/** A data directory's corpus as a run sees it, and the held-out text, which only the evaluator sees. */
export interface OpenedCorpus {
  readonly corpus: RunCorpus;
  heldOut(): Promise<Uint16Array<ArrayBuffer>>;
}

/** Opens the corpus. Throws a CorpusError. */
export async function openCorpus(directory: string): Promise<OpenedCorpus> {
  const { index, tokenizer, isTrain, readShard } = await readCorpus(directory);
  return {
    corpus: {
      vocabulary: index.vocabulary,
      tokenizer,
      train: index.splits.train.map(({ hash, tokens }) => ({ hash, tokens })),
      heldOutTokens: index.splits.heldOut.reduce((sum, { tokens }) => sum + tokens, 0),
      baselines: index.baselines,
      shard: async (hash) => {
        if (!isTrain(hash)) throw new ProtocolError("not-found", "there is no such shard");
        return bytesOf(await readShard(hash));
      },
    },
    heldOut: async () => {
      const pieces: Uint16Array[] = [];
      let length = 0;
      for (const { hash } of index.splits.heldOut) {
        const piece = await readShard(hash);
        pieces.push(piece);
        length += piece.length;
        if (length >= MOST_HELD_OUT) break;
      }
      const text = new Uint16Array(length);
      let at = 0;
      for (const piece of pieces) {
        text.set(piece, at);
        at += piece.length;
      }
      return text;
    },
  };
}
