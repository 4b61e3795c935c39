import { concat, utf8 } from "../../protocol/bytes.ts";
import { sha256 } from "../../protocol/identity.ts";
import { BaselineMeter } from "./baselines.ts";
import { checkVocabulary } from "./bpe.ts";
import { cutBlocks } from "./cut.ts";
import { type Disk, nodeDisk, writeDurably, writeError } from "./disk.ts";
import { CorpusError } from "./error.ts";
import { unpackedLimit } from "./gunzip.ts";
import { LossMeter, lossLine } from "./loss.ts";
import { findSource, readText, type Source } from "./read.ts";
import { CORPUS_FORMAT, type CorpusIndex } from "./shards.ts";
import { SPLITS, type Split, type SplitText, splitText } from "./split.ts";
import { type CorpusTokenizer, openTokenizer, trainTokenizer } from "./tokenizer.ts";
import { Workspace } from "./workspace.ts";
import { SHARD_TOKENS, type ShardEntry, ShardWriter } from "./writer.ts";

export interface AddOptions {
  /** Names of .txt, .md, .jsonl files, each also as .gz; `-` is {@link stdin}. Read in this order. */
  readonly files: readonly string[];
  readonly dataDir: string;
  /** Size of the byte-level BPE to train, 256 to 65,536. Ignored with {@link tokenizer}. */
  readonly vocabulary: number;
  /** A tokenizer.json to use instead of training one. */
  readonly tokenizer?: string | undefined;
  /** The field of a JSON line that holds its text. */
  readonly field?: string | undefined;
  /** Tokens of one context: each split must hold at least one, and the last target after it. */
  readonly context?: number | undefined;
  /** Tokens of one shard. */
  readonly shardTokens?: number | undefined;
  readonly stdin?: AsyncIterable<Uint8Array> | undefined;
  /** Whether `-` is plain text (the default) or JSON lines. */
  readonly stdinKind?: Source["kind"] | undefined;
  /** Leaves lines of JSON without text out, and says how many; without it the first such line ends the work. */
  readonly skipBadLines?: boolean | undefined;
  /** Hears what the operator should know of a corpus that is made nevertheless. */
  readonly onWarning?: ((line: string) => void) | undefined;
  /** Hears of every step. What it throws ends the work like any failure. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly disk?: Disk | undefined;
  /** Bytes that the text of one packed file may have, where others than this machine's owner bring it. */
  readonly maxTextBytes?: number | undefined;
}

export interface Progress {
  readonly stage: "reading" | "counting" | "merging" | "encoding";
  readonly done: number;
  /** Undefined where the end is not known, as with a stream. Bytes, or merges. */
  readonly total: number | undefined;
}

/** Tokens of the default run's context. */
const DEFAULT_CONTEXT = 128;

/** Characters of a block of text that is encoded at once. */
const ENCODED = 4_096;

/**
 * Makes a data directory's corpus from files: splits the text, trains (or takes) the tokenizer on the train
 * text, writes the shards, and corpus.json last. Memory does not grow with the text. Same text, same options:
 * the same bytes.
 *
 * On any failure, which is a CorpusError unless the system failed in a way we do not know, the data directory
 * is as it was.
 */
export async function addCorpus(options: AddOptions): Promise<CorpusIndex> {
  const { dataDir, vocabulary, field = "text", stdin = nothing(), stdinKind = "text" } = options;
  if (options.tokenizer === undefined) checkVocabulary(vocabulary);
  const given = options.tokenizer === undefined ? undefined : await openTokenizer(options.tokenizer);
  const sources: Source[] = [];
  for (const file of options.files) sources.push(await findSource(file, stdin, stdinKind));
  let workspace: Workspace | undefined;
  try {
    workspace = await Workspace.open(dataDir, options.disk ?? nodeDisk);
    const index = await build(workspace, sources, field, given, options);
    await workspace.publish();
    return index;
  } catch (error) {
    await workspace?.discard();
    throw writeError(error, dataDir);
  }
}

async function build(
  workspace: Workspace,
  sources: readonly Source[],
  field: string,
  given: CorpusTokenizer | undefined,
  options: AddOptions,
): Promise<CorpusIndex> {
  const { context = DEFAULT_CONTEXT, onProgress = () => {}, onWarning = () => {} } = options;
  const reading = readings(sources, onProgress);
  const left = new SkippedLines();
  const { maxTextBytes } = options;
  const lines = readText(
    sources,
    field,
    reading.onBytes,
    options.skipBadLines ? left.add : undefined,
    maxTextBytes === undefined ? undefined : ({ size = 0 }) => unpackedLimit(size, maxTextBytes),
  );
  const text = refuseEmpty(lines, sources);
  const split = await splitText(text, context, workspace);
  if (left.count > 0) onWarning(left.line());
  const tokenizer =
    given ??
    (await trainTokenizer(
      blocksOf(split, "train", progressOf("counting", split.bytes.train, onProgress)),
      options.vocabulary,
      (done, total) => onProgress({ stage: "merging", done, total }),
    ));
  const encoded = await encode(workspace, split, tokenizer, options);
  if (encoded.lost > 0) onWarning(lossLine(encoded.lost));
  for (const name of SPLITS) refuseShort(name, encoded.shards[name], context);
  const index: CorpusIndex = {
    format: CORPUS_FORMAT,
    tokenizer: await sha256(tokenizer.file),
    vocabulary: tokenizer.vocabulary,
    splits: encoded.shards,
    tokens: SPLITS.reduce((sum, name) => sum + tokensIn(encoded.shards[name]), 0),
    bytes: SPLITS.reduce((sum, name) => sum + split.bytes[name], 0),
    sources: sources.map(({ name }, i) => ({ name, bytes: reading.bytes[i] ?? 0 })),
    baselines: encoded.baselines,
  };
  await writeDurably(workspace.disk, workspace.path("tokenizer.json"), tokenizer.file);
  const json = concat(utf8(JSON.stringify(index, null, 2)), utf8("\n"));
  await writeDurably(workspace.disk, workspace.path("corpus.json"), json);
  return index;
}

/** Encodes and writes the splits; train comes last, as the meter wants. */
async function encode(
  workspace: Workspace,
  split: SplitText,
  tokenizer: CorpusTokenizer,
  { shardTokens = SHARD_TOKENS, onProgress = () => {} }: AddOptions,
) {
  const meter = new BaselineMeter(tokenizer.vocabulary);
  const loss = tokenizer.decode && new LossMeter(tokenizer.decode);
  const total = SPLITS.reduce((sum, name) => sum + split.bytes[name], 0);
  const onBytes = progressOf("encoding", total, onProgress);
  const shards: Record<Split, ShardEntry[]> = { train: [], gate: [], heldOut: [] };
  for (const name of ["gate", "heldOut", "train"] as const) {
    const writer = new ShardWriter(workspace, shardTokens);
    for await (const block of blocksOf(split, name, onBytes)) {
      const tokens = tokenizer.encode(block);
      meter.add(name, tokens);
      loss?.add(block, tokens);
      await writer.add(tokens);
    }
    await writer.finish();
    shards[name] = writer.entries;
  }
  return { shards, baselines: meter.result(), lost: loss?.share ?? 0 };
}

async function* blocksOf(
  text: SplitText,
  split: Split,
  onBytes: (bytes: number) => void,
): AsyncGenerator<string, void, undefined> {
  for await (const block of cutBlocks(text.read(split), () => ENCODED)) {
    onBytes(Buffer.byteLength(block));
    yield block;
  }
}

function progressOf(stage: Progress["stage"], total: number, onProgress: (progress: Progress) => void) {
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

/** Passes a text on. Throws `empty` at its end when it had nothing but white space. */
async function* refuseEmpty(
  text: AsyncIterable<string>,
  sources: readonly Source[],
): AsyncGenerator<string, void, undefined> {
  let empty = true;
  for await (const piece of text) {
    if (empty && /\S/.test(piece)) empty = false;
    yield piece;
  }
  if (empty)
    throw new CorpusError("empty", `there is no text in ${sources.map(({ name }) => name).join(", ")}`);
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

function refuseShort(split: Split, shards: readonly ShardEntry[], context: number): void {
  const tokens = tokensIn(shards);
  if (tokens > context) return;
  const name = { train: "training", gate: "gate", heldOut: "held-out" }[split];
  throw new CorpusError(
    "too-short",
    `the ${name} part has ${tokens} tokens, and one context takes ${context + 1}: add more text`,
  );
}

const tokensIn = (shards: readonly ShardEntry[]): number =>
  shards.reduce((sum, entry) => sum + entry.tokens, 0);

async function* nothing(): AsyncGenerator<Uint8Array> {}
