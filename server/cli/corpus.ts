import { parseArgs } from "node:util";
import { type AddOptions, addCorpus, type Progress } from "../corpus/add.ts";
import { DEFAULT_VOCABULARY } from "../corpus/default.ts";
import { CorpusError } from "../corpus/error.ts";
import { type Output, ProgressBar, sizeText } from "../corpus/progress.ts";
import type { CorpusIndex } from "../corpus/shards.ts";
import type { ShardEntry } from "../corpus/writer.ts";
import { lineOf } from "./failure.ts";

const CORPUS_USAGE = `Usage: murmuration corpus add FILE… [--data DIR] [--vocab N | --tokenizer FILE] [--field NAME]
                                  [--skip-bad-lines]

Makes a data directory's corpus: splits the text into train, gate and held-out, trains a byte-level BPE on
the train part, and writes the shards that volunteers will get. One directory is one run.

  FILE              .txt, .md or .jsonl, each also as .gz, in this order; - is standard input: plain text,
                    or JSON lines when --field is given
  --data DIR        the data directory (./data)
  --vocab N         tokens in the vocabulary, 256 to 65536 (${DEFAULT_VOCABULARY})
  --tokenizer FILE  use this Hugging Face tokenizer.json instead of training one
  --field NAME      the field of a JSON line that holds its text (text)
  --skip-bad-lines  leave out lines of JSON that hold no text, and say how many

Text is UTF-8, or UTF-16 with or without a byte order mark.
`;

export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Stops the work at its next step, with nothing kept. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `murmuration corpus …`: `args` is what follows `corpus`. Resolves to the exit code: 0, 1 for a corpus that
 * could not be made (stderr says why), 2 for a command that does not make sense, 130 when it was stopped. The
 * summary goes to stdout, all else to stderr.
 */
export async function corpusCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const options = parse(args);
  if (options === "help") {
    io.stdout.write(CORPUS_USAGE);
    return 0;
  }
  if (typeof options === "string") {
    io.stderr.write(`murmuration corpus: ${options}\n\n${CORPUS_USAGE}`);
    return 2;
  }
  const bar = new ProgressBar(io.stderr);
  try {
    const onProgress = (progress: Progress) => {
      io.signal?.throwIfAborted();
      bar.show(progress);
    };
    const warnings: string[] = [];
    const onWarning = (line: string) => warnings.push(line);
    const index = await addCorpus({ ...options, stdin: io.stdin, onProgress, onWarning });
    bar.end();
    for (const line of warnings) io.stderr.write(`murmuration corpus: ${line}\n`);
    io.stdout.write(summary(index, options.dataDir));
    return 0;
  } catch (error) {
    bar.end();
    if (io.signal?.aborted) {
      io.stderr.write("murmuration corpus: stopped; nothing was kept\n");
      return 130;
    }
    const code = error instanceof CorpusError ? ` [${error.code}]` : "";
    io.stderr.write(`murmuration corpus: ${lineOf(error)}${code}\n`);
    return 1;
  }
}

/** The options, `help`, or what is wrong with the arguments. */
function parse(args: readonly string[]): AddOptions | string {
  let parsed: ReturnType<typeof read>;
  try {
    parsed = read(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  const [verb, ...files] = positionals;
  if (values.help) return "help";
  if (verb !== "add") return verb === undefined ? "say what to do: add" : `there is no "${verb}", only add`;
  if (files.length === 0) return "name at least one file, or - for standard input";
  if (files.filter((file) => file === "-").length > 1) return "- can be named once";
  if (values.data === "") return "--data is empty";
  if (values.vocab !== undefined && values.tokenizer !== undefined) {
    return "--vocab and --tokenizer exclude each other: a tokenizer has its vocabulary";
  }
  if (values.vocab !== undefined && !/^\d+$/.test(values.vocab)) return "--vocab takes a whole number";
  return {
    files,
    dataDir: values.data,
    vocabulary: values.vocab === undefined ? DEFAULT_VOCABULARY : Number(values.vocab),
    tokenizer: values.tokenizer,
    field: values.field,
    skipBadLines: values["skip-bad-lines"],
    stdinKind: values.field === undefined ? "text" : "jsonl",
  };
}

function read(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      data: { type: "string", default: "./data" },
      vocab: { type: "string" },
      tokenizer: { type: "string" },
      field: { type: "string" },
      "skip-bad-lines": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
}

/** Describes the finished corpus to the operator. */
export function summary(index: CorpusIndex, dataDir: string): string {
  const { baselines, splits } = index;
  const share = (shards: readonly ShardEntry[]) => {
    const tokens = shards.reduce((sum, shard) => sum + shard.tokens, 0);
    const percent = ((100 * tokens) / index.tokens).toFixed(1);
    const files = shards.length === 1 ? "1 shard" : `${shards.length} shards`;
    return `${whole(tokens)} tokens (${percent}%) in ${files}`;
  };
  const nats = (value: number) => `${value.toFixed(3)} nats a token`;
  return `${[
    `Made a corpus in ${dataDir}: ${whole(index.tokens)} tokens from ${sizeText(index.bytes)} of text`,
    `  vocabulary  ${whole(index.vocabulary)}, ${(index.bytes / index.tokens).toFixed(2)} bytes a token`,
    `  train       ${share(splits.train)}`,
    `  gate        ${share(splits.gate)}`,
    `  held-out    ${share(splits.heldOut)}`,
    "What guessing costs on the held-out text:",
    `  any token   ${nats(baselines.uniform)}`,
    `  unigram     ${nats(baselines.unigram)}`,
    `  bigram      ${nats(baselines.bigram)}`,
  ].join("\n")}\n`;
}

const whole = (value: number): string => value.toLocaleString("en-US");
