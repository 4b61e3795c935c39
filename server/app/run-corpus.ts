import { bytesOf } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash } from "../../protocol/ids.ts";
import { readCorpus } from "../corpus/shards.ts";
import type { RunCorpus } from "../run/options.ts";

/** Tokens of a split that windows are drawn from: 8 MB, however large the corpus. */
const MAX_TOKENS = 4 * 1024 * 1024;

/** A data directory's corpus as a run sees it, and the held-out text, which only the evaluator sees. */
export interface OpenedCorpus {
  readonly corpus: RunCorpus;
  heldOut(): Promise<Uint16Array<ArrayBuffer>>;
  /** Gate text, which only audits see. */
  gate(): Promise<Uint16Array<ArrayBuffer>>;
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
    heldOut: () => textOf(index.splits.heldOut, readShard),
    gate: () => textOf(index.splits.gate, readShard),
  };
}

/** A split's text, as much of it as is used. */
async function textOf(
  split: readonly { readonly hash: Hash }[],
  readShard: (hash: Hash) => Promise<Uint16Array<ArrayBuffer>>,
): Promise<Uint16Array<ArrayBuffer>> {
  const pieces: Uint16Array[] = [];
  let length = 0;
  for (const { hash } of split) {
    const piece = await readShard(hash);
    pieces.push(piece);
    length += piece.length;
    if (length >= MAX_TOKENS) break;
  }
  const text = new Uint16Array(length);
  let at = 0;
  for (const piece of pieces) {
    text.set(piece, at);
    at += piece.length;
  }
  return text;
}
