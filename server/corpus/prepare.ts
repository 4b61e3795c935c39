import { concat, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import { BaselineMeter } from "./baselines.ts";
import { cutBlocks } from "./cut.ts";
import { writeDurably } from "./disk.ts";
import type { DuplicateFinder } from "./duplicates.ts";
import { CorpusError } from "./error.ts";
import { unpackedLimit } from "./gunzip.ts";
import { CORPUS_FORMAT, type CorpusIndex } from "./index-file.ts";
import { LossMeter, lossLine } from "./loss.ts";
import type { AddOptions, Progress } from "./options.ts";
import { readText, type Source } from "./read.ts";
import { SPLITS, type Split, type SplitText, splitText } from "./split.ts";
import { type CorpusTokenizer, trainTokenizer } from "./tokenizer.ts";
import type { Workspace } from "./workspace.ts";
import { SHARD_TOKENS, type ShardEntry, ShardWriter } from "./writer.ts";

/** Tokens of the default run's context. */
const DEFAULT_CONTEXT = 128;

/** Characters of a block of text that is encoded at once. */
const ENCODED = 4_096;

/** Text on its way into a corpus. */
export interface Material {
  readonly sources: readonly Source[];
  /** Undefined: one is trained on it. */
  readonly tokenizer: CorpusTokenizer | undefined;
  /** Knows the text that is there, if any; `drop`: passages that came before are left out. */
  readonly duplicates: { readonly finder: DuplicateFinder; readonly drop: boolean };
}

/** Sources of one weight that follow one another: their training text has shards of its own. */
interface Group {
  readonly first: number;
  readonly sources: readonly Source[];
  readonly weight: number;
}

/**
 * Splits, encodes and writes text: shards, tokenizer.json, and corpus.json last, in the workspace. Memory does not grow
 * with the text, except for the passages that are remembered. Same text, same options: the same bytes.
 */
export async function prepare(
  workspace: Workspace,
  { sources, tokenizer: given, duplicates }: Material,
  options: AddOptions,
): Promise<CorpusIndex> {
  const { context = DEFAULT_CONTEXT, onProgress = () => {}, onWarning = () => {} } = options;
  const reading = readings(sources, onProgress);
  const left = new SkippedLines();
  const { maxTextBytes, field = "text" } = options;
  const groups = groupsOf(sources, options.weights);
  const texts: SplitText[] = [];
  for (const { first, sources: own } of groups) {
    const lines = readText(
      own,
      field,
      (source, bytes) => reading.onBytes(first + source, bytes),
      options.skipBadLines ? left.add : undefined,
      maxTextBytes === undefined ? undefined : ({ size = 0 }) => unpackedLimit(size, maxTextBytes),
    );
    const text = refuseEmpty(
      duplicates.finder.filter(refuseEmpty(lines, own, left), duplicates.drop),
      own,
      left,
    );
    texts.push(await splitText(text, context, workspace, texts.length));
  }
  if (left.count > 0) onWarning(left.line());
  const train = texts.reduce((sum, { bytes }) => sum + bytes.train, 0);
  const counting = progressOf("counting", train, onProgress);
  const tokenizer =
    given ??
    (await trainTokenizer(blocksOfAll(texts, "train", counting), options.vocabulary, (done, total) =>
      onProgress({ stage: "merging", done, total }),
    ));
  const encoded = await encode(workspace, { groups, texts, tokenizer }, options);
  if (encoded.lost > 0) onWarning(lossLine(encoded.lost));
  for (const name of SPLITS) refuseShort(name, encoded.shards[name], context);
  const index: CorpusIndex = {
    format: CORPUS_FORMAT,
    tokenizer: await sha256(tokenizer.file),
    vocabulary: tokenizer.vocabulary,
    splits: encoded.shards,
    tokens: SPLITS.reduce((sum, name) => sum + tokensIn(encoded.shards[name]), 0),
    bytes: texts.reduce((sum, { bytes }) => sum + bytes.train + bytes.gate + bytes.heldOut, 0),
    sources: sources.map(({ name }, i) => ({ name, bytes: reading.bytes[i] ?? 0 })),
    baselines: encoded.baselines,
    duplicates: duplicates.finder.found,
  };
  await writeDurably(workspace.disk, workspace.path("tokenizer.json"), tokenizer.file);
  const json = concat(utf8(JSON.stringify(index, null, 2)), utf8("\n"));
  await writeDurably(workspace.disk, workspace.path("corpus.json"), json);
  return index;
}

function groupsOf(sources: readonly Source[], weights: readonly number[] = []): readonly Group[] {
  const groups: { first: number; sources: Source[]; weight: number }[] = [];
  for (const [i, source] of sources.entries()) {
    const weight = weights[i] ?? 1;
    const last = groups.at(-1);
    if (last?.weight === weight) last.sources.push(source);
    else groups.push({ first: i, sources: [source], weight });
  }
  return groups;
}

interface Encoding {
  readonly groups: readonly Group[];
  /** Of each group. */
  readonly texts: readonly SplitText[];
  readonly tokenizer: CorpusTokenizer;
}

/** Encodes and writes the splits; train comes last, as the meter wants. */
async function encode(
  workspace: Workspace,
  { groups, texts, tokenizer }: Encoding,
  { shardTokens = SHARD_TOKENS, context = DEFAULT_CONTEXT, onProgress = () => {} }: AddOptions,
) {
  const meter = new BaselineMeter(tokenizer.vocabulary);
  const loss = tokenizer.decode && new LossMeter(tokenizer.decode);
  const total = texts.reduce((sum, { bytes }) => sum + bytes.train + bytes.gate + bytes.heldOut, 0);
  const onBytes = progressOf("encoding", total, onProgress);
  const write = async (name: Split, some: readonly SplitText[]) => {
    const writer = new ShardWriter(workspace, shardTokens);
    for await (const block of blocksOfAll(some, name, onBytes)) {
      const tokens = tokenizer.encode(block);
      meter.add(name, tokens);
      loss?.add(block, tokens);
      await writer.add(tokens);
    }
    await writer.finish();
    return writer.entries;
  };
  const [gate, heldOut] = [await write("gate", texts), await write("heldOut", texts)];
  const train: ShardEntry[] = [];
  for (const [i, { weight, sources }] of groups.entries()) {
    const shards = await write("train", [texts[i]!]);
    refuseShort("train", shards, context, groups.length > 1 ? sources : []);
    train.push(...shards.map((shard) => (weight === 1 ? shard : { ...shard, weight })));
  }
  return { shards: { train, gate, heldOut }, baselines: meter.result(), lost: loss?.share ?? 0 };
}

async function* blocksOfAll(
  texts: readonly SplitText[],
  split: Split,
  onBytes: (bytes: number) => void,
): AsyncGenerator<string, void, undefined> {
  for (const text of texts) {
    for await (const block of cutBlocks(text.read(split), () => ENCODED)) {
      onBytes(Buffer.byteLength(block));
      yield block;
    }
  }
}

export function progressOf(
  stage: Progress["stage"],
  total: number,
  onProgress: (progress: Progress) => void,
) {
  let done = 0;
  return (bytes: number) => {
    done += bytes;
    onProgress({ stage, done, total });
  };
}

/** Counts the bytes read, by source and, for the progress, together. */
function readings(sources: readonly Source[], onProgress: (progress: Progress) => void) {
  const bytes = sources.map(() => 0);
  const sizes = sources.map(({ size }) => size);
  const total = sizes.includes(undefined)
    ? undefined
    : sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
  let done = 0;
  const onBytes = (source: number, more: number) => {
    bytes[source] = (bytes[source] ?? 0) + more;
    done += more;
    onProgress({ stage: "reading", done, total });
  };
  return { bytes, onBytes };
}

/** Passes a text on. Throws `empty` at its end when it had nothing but white space, with what was left out of it. */
async function* refuseEmpty(
  text: AsyncIterable<string>,
  sources: readonly Source[],
  left: SkippedLines,
): AsyncGenerator<string, void, undefined> {
  let empty = true;
  for await (const piece of text) {
    if (empty && /\S/.test(piece)) empty = false;
    yield piece;
  }
  if (!empty) return;
  const names = sources.map(({ name }) => name).join(", ");
  throw new CorpusError("empty", `there is no text in ${names}${left.count > 0 ? `: ${left.line()}` : ""}`);
}

/** Lines of JSON that were left out: how many, and the first of them. */
class SkippedLines {
  count = 0;
  #first = "";

  readonly add = ({ message }: CorpusError): void => {
    if (this.count++ === 0) this.#first = message;
  };

  line(): string {
    return `left out ${this.count === 1 ? "1 line" : `${this.count} lines`} without text; the first: ${this.#first}`;
  }
}

function refuseShort(
  split: Split,
  shards: readonly ShardEntry[],
  context: number,
  sources: readonly Source[] = [],
): void {
  const tokens = tokensIn(shards);
  if (tokens > context) return;
  const name = { train: "training", gate: "gate", heldOut: "held-out" }[split];
  const of = sources.length > 0 ? ` of ${sources.map((source) => source.name).join(", ")}` : "";
  throw new CorpusError(
    "too-short",
    `the ${name} part${of} has ${tokens} tokens, and one context takes ${context + 1}: add more text`,
  );
}

const tokensIn = (shards: readonly ShardEntry[]): number =>
  shards.reduce((sum, entry) => sum + entry.tokens, 0);
