import { bytesOf } from "../../protocol/bytes.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Hash } from "../../protocol/ids.ts";
import { readCorpus } from "../corpus/shards.ts";
import type { AddedText, RunCorpus } from "../run/options.ts";

/** Milliseconds between two looks whether added text has come into the directory: strangers can ask for any shard. */
const LOOK_MS = 10_000;

/** Tokens of a split that windows are drawn from: 8 MB, however large the corpus; and as many of all added text. */
const MAX_TOKENS = 4 * 1024 * 1024;

type Tokens = Uint16Array<ArrayBuffer>;

/** A data directory's corpus as a run sees it, and the held-out text, which only the evaluator sees. */
export interface OpenedCorpus {
  readonly corpus: RunCorpus;
  /** Of the run's first text: what versions are measured on for good. */
  heldOut(): Promise<Tokens>;
  /** Of the text that was added since; empty where none was. */
  heldOutAdded(): Promise<Tokens>;
  /** Gate text, which only audits see: of all text. */
  gate(): Promise<Tokens>;
  /** Texts that were added: another number means that there is other text to measure on. */
  texts(): number;
  /** Looks what was added since. Throws a CorpusError. */
  refresh(): Promise<void>;
}

/** Opens the corpus. Throws a CorpusError. */
export async function openCorpus(directory: string): Promise<OpenedCorpus> {
  let read = await readCorpus(directory);
  let added = addedOf(read);
  const { index, tokenizer } = read;
  const partsOf = (split: "gate" | "heldOut") => read.added.map((one) => one.index.splits[split]);
  /** Of all that was added, each its part. */
  const textOfAdded = async (split: "gate" | "heldOut") => {
    const parts = partsOf(split);
    const most = Math.ceil(MAX_TOKENS / Math.max(1, parts.length));
    return Promise.all(parts.map((shards) => textOf(shards, read.readShard, most)));
  };
  return {
    corpus: {
      vocabulary: index.vocabulary,
      tokenizer,
      train: index.splits.train,
      added: () => added,
      heldOutTokens: index.splits.heldOut.reduce((sum, { tokens }) => sum + tokens, 0),
      baselines: index.baselines,
      shard: async (hash) => {
        if (!read.isTrain(hash)) throw new ProtocolError("not-found", "there is no such shard");
        return bytesOf(await read.readShard(hash));
      },
    },
    heldOut: () => textOf(index.splits.heldOut, read.readShard, MAX_TOKENS),
    heldOutAdded: async () => joined(await textOfAdded("heldOut")),
    gate: async () =>
      joined([await textOf(index.splits.gate, read.readShard, MAX_TOKENS), ...(await textOfAdded("gate"))]),
    texts: () => read.added.length,
    async refresh() {
      read = await readCorpus(directory);
      added = addedOf(read);
    },
  };
}

const addedOf = ({ added }: Awaited<ReturnType<typeof readCorpus>>): readonly AddedText[] =>
  added.map(({ text, index: { splits } }) => ({
    text,
    train: splits.train,
    tokens: splits.train.reduce((sum, { tokens }) => sum + tokens, 0),
  }));

/** A split's text, as much of it as is used. */
async function textOf(
  split: readonly { readonly hash: Hash }[],
  readShard: (hash: Hash) => Promise<Tokens>,
  most: number,
): Promise<Tokens> {
  const pieces: Tokens[] = [];
  let length = 0;
  for (const { hash } of split) {
    const piece = await readShard(hash);
    pieces.push(piece);
    length += piece.length;
    if (length >= most) break;
  }
  return joined(pieces);
}

function joined(pieces: readonly Tokens[]): Tokens {
  const text = new Uint16Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    text.set(piece, at);
    at += piece.length;
  }
  return text;
}

/** The corpus, looked at again now and then for a shard that it lacks: text was added, and its files came here since. */
export function refreshed({ refresh }: OpenedCorpus, corpus: RunCorpus, now: () => number): RunCorpus {
  let looked = Number.NEGATIVE_INFINITY;
  return {
    ...corpus,
    shard: async (hash) => {
      try {
        return await corpus.shard(hash);
      } catch (error) {
        const isMissing = error instanceof ProtocolError && error.code === "not-found";
        if (!isMissing || now() - looked < LOOK_MS) throw error;
        looked = now();
        await refresh();
        return corpus.shard(hash);
      }
    },
  };
}
