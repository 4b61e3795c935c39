import { type AddOptions, addCorpus, type Progress } from "../corpus/add.ts";
import { DEFAULT_VOCABULARY } from "../corpus/default.ts";
import { CorpusError } from "../corpus/error.ts";
import { type Output, ProgressBar, sizeText } from "../corpus/progress.ts";
import type { CorpusIndex } from "../corpus/shards.ts";
import type { ShardEntry } from "../corpus/writer.ts";
import { type CommandIo, readArgs, runCommand, UsageError } from "./command.ts";
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

/** The exit code of a command that was stopped, as the shell gives an interrupted one. */
const STOPPED = 130;

export interface CorpusIo extends CommandIo {
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
export const corpusCommand = (args: readonly string[], io: CorpusIo): Promise<number> =>
  runCommand(
    {
      name: "corpus",
      usage: CORPUS_USAGE,
      parse,
      async run(options) {
        const bar = new ProgressBar(io.stderr);
        const onProgress = (progress: Progress) => {
          io.signal?.throwIfAborted();
          bar.show(progress);
        };
        const warnings: string[] = [];
        const onWarning = (line: string) => warnings.push(line);
        let index: CorpusIndex;
        try {
          index = await addCorpus({ ...options, stdin: io.stdin, onProgress, onWarning });
        } finally {
          bar.end();
        }
        for (const line of warnings) io.stderr.write(`murmuration corpus: ${line}\n`);
        io.stdout.write(summary(index, options.dataDir));
      },
      explain(error) {
        if (io.signal?.aborted) return "stopped; nothing was kept";
        return `${lineOf(error)}${error instanceof CorpusError ? ` [${error.code}]` : ""}`;
      },
      exitCode: () => (io.signal?.aborted ? STOPPED : 1),
    },
    args,
    io,
  );

function parse(args: readonly string[]): AddOptions | "help" {
  const { values, positionals } = readArgs(args, {
    data: { type: "string", default: "./data" },
    vocab: { type: "string" },
    tokenizer: { type: "string" },
    field: { type: "string" },
    "skip-bad-lines": { type: "boolean", default: false },
  });
  if (values.help) return "help";
  const [verb, ...files] = positionals;
  if (verb !== "add") {
    throw new UsageError(verb === undefined ? "say what to do: add" : `there is no "${verb}", only add`);
  }
  if (files.length === 0) throw new UsageError("name at least one file, or - for standard input");
  if (files.filter((file) => file === "-").length > 1) throw new UsageError("- can be named once");
  if (values.data === "") throw new UsageError("--data is empty");
  if (values.vocab !== undefined && values.tokenizer !== undefined) {
    throw new UsageError("--vocab and --tokenizer exclude each other: a tokenizer has its vocabulary");
  }
  if (values.vocab !== undefined && !/^\d+$/.test(values.vocab)) {
    throw new UsageError("--vocab takes a whole number");
  }
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
