import type { Tokenizer } from "../../model/data/tokenizer.ts";
import type { Hash } from "../../protocol/ids.ts";
import type { Corpus } from "./shards.ts";
import { SPLITS } from "./split.ts";

/** Tokens that may share one character between them, at most: a character has four bytes. */
const MAX_SHARED = 4;

/** The text of a directory's shards again, split after split; `onTokens` hears how many are read. */
export async function* keptText(
  { index, added, readShard }: Pick<Corpus, "index" | "added" | "readShard">,
  tokenizer: Pick<Tokenizer, "decode">,
  onTokens: (tokens: number) => void,
): AsyncGenerator<string, void, undefined> {
  for (const { splits } of [index, ...added.map((one) => one.index)]) {
    for (const split of SPLITS) {
      yield* textOf(splits[split], tokenizer, readShard, onTokens);
      yield "\n\n"; // no passage goes on in another split
    }
  }
}

async function* textOf(
  shards: readonly { readonly hash: Hash }[],
  { decode }: Pick<Tokenizer, "decode">,
  readShard: Corpus["readShard"],
  onTokens: (tokens: number) => void,
): AsyncGenerator<string> {
  let held = new Uint16Array();
  for (const { hash } of shards) {
    const shard = await readShard(hash);
    onTokens(shard.length);
    const tokens = new Uint16Array(held.length + shard.length);
    tokens.set(held);
    tokens.set(shard, held.length);
    const end = wholeCharacters(tokens, decode);
    yield decode(tokens.subarray(0, end));
    held = tokens.slice(end);
  }
  if (held.length > 0) yield decode(held);
}

/** Where a shard ends in the middle of a character: the place before it. */
function wholeCharacters(tokens: Uint16Array, decode: Tokenizer["decode"]): number {
  for (let back = 0; back < MAX_SHARED && back < tokens.length; back++) {
    const end = tokens.length - back;
    if (!decode(tokens.subarray(Math.max(0, end - 2 * MAX_SHARED), end)).endsWith("\uFFFD")) return end;
  }
  return tokens.length;
}
